"""DFC2020, 12 bands of Sentinel-2, eight classes, 96 x 96 pixels of 10 m."""

loader = dict(batch_size=64, num_workers=4)
dataset = dict(type="DFC2020", root="data/dfc2020")

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train", augment="flips"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="IoU")]
test_evaluator = [*val_evaluator, dict(type="Dice"), dict(type="OverallAccuracy")]
