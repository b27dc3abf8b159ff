"""SICKLE, six dates of Sentinel-2 in a season, paddy or other crops, 32 x 32 pixels of 10 m."""

loader = dict(batch_size=32, num_workers=4)
dataset = dict(type="SICKLE", root="data/sickle", sensors=("S2",), num_dates=6)

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="IoU")]
test_evaluator = [*val_evaluator, dict(type="Dice"), dict(type="OverallAccuracy")]
