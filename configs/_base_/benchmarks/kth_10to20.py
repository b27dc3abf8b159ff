"""KTH, 128 x 128: ten frames as input, the next twenty as target, in training too."""

_base_ = "video_metrics.py"

loader = dict(batch_size=16, num_workers=4)
dataset = dict(type="KTH", root="data/kth", num_inputs=10, num_targets=20)

# upstream drops the last, incomplete batch of an epoch, as *_upstream_protocol do
train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))
