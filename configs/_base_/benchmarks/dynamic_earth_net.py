"""DynamicEarthNet, six dates of Planet Fusion, six classes, 1024 x 1024 pixels of 3 m."""

loader = dict(batch_size=8, num_workers=4)
dataset = dict(type="DynamicEarthNet", root="data/dynamic_earth_net")

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="IoU")]
test_evaluator = [*val_evaluator, dict(type="Dice"), dict(type="OverallAccuracy")]
