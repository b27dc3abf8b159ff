"""Boiling, 32 x 32: ten frames as input, the next ten as target. Small enough for a CPU."""

_base_ = "boiling_10to10.py"

loader = dict(dataset=dict(root="data/boiling_small", prepare_size=32))

train_dataloader = loader
val_dataloader = loader
test_dataloader = loader
