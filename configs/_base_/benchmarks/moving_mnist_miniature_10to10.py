"""Moving MNIST 10 to 10 on its synthetic miniature, in short epochs."""

_base_ = "moving_mnist_10to10.py"

loader = dict(batch_size=8, num_workers=0)
root = "data/miniature/moving_mnist"

train_dataloader = dict(**loader, dataset=dict(root=root, epoch_length=400))
val_dataloader = dict(**loader, dataset=dict(root=root, val_length=40))
test_dataloader = dict(**loader, dataset=dict(root=root))
