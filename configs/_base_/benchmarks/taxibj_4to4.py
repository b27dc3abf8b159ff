"""TaxiBJ, 32 x 32, inflow and outflow: four half-hours as input, the next four as target."""

_base_ = "video_metrics.py"

dataset = dict(type="TaxiBJ", root="data/taxibj")

# upstream drops the last, incomplete batch of an epoch, as *_upstream_protocol do
train_dataloader = dict(batch_size=16, dataset=dict(**dataset, split="train"))
val_dataloader = dict(batch_size=16, dataset=dict(**dataset, split="val"))
test_dataloader = dict(batch_size=16, dataset=dict(**dataset, split="test"))
