"""Moving MNIST, 64 x 64, two digits: ten frames as input, ten as target; published test set."""

_base_ = "video_metrics.py"

loader = dict(batch_size=16, num_workers=4)
dataset = dict(type="MovingMNIST", root="data/moving_mnist", num_inputs=10, num_targets=10)

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))
