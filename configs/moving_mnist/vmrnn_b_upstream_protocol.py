"""VMRNN-B on Moving MNIST, same recipe, with the digits of its script."""

_base_ = "vmrnn_b.py"

# The first 10,000 digits, and the best epoch selected on 3,000 sequences of the next 3,000 digits.
train_dataloader = dict(drop_last=True, dataset=dict(digit_range=(0, 10_000)))
val_dataloader = dict(dataset=dict(digit_range=(10_000, 13_000), val_length=3_000))

source = dict(name="VMRNN-B (upstream protocol)")
