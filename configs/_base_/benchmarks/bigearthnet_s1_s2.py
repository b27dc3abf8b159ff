"""BigEarthNet, version 1, Sentinel-2 and Sentinel-1, 19 classes: the official split."""

loader = dict(batch_size=256, num_workers=8)
dataset = dict(
    type="BigEarthNet", root="data/bigearthnet", version=1, sensors=("sentinel2", "sentinel1")
)

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="AveragePrecisionMicro")]
test_evaluator = [
    *val_evaluator,
    dict(type="AveragePrecisionMacro"),
    dict(type="F1Micro"),
    dict(type="F1Macro"),
]
