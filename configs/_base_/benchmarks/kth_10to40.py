"""KTH, 128 x 128: ten frames as input, the next forty as target, in training too."""

_base_ = "kth_10to20.py"

loader = dict(dataset=dict(num_targets=40))

train_dataloader = loader
val_dataloader = loader
test_dataloader = loader
