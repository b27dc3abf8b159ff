"""HLS BurnScars, six bands, burnt or not, 512 x 512 pixels of 30 m."""

loader = dict(batch_size=8, num_workers=4)
dataset = dict(type="BurnScars", root="data/burn_scars")

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="IoU")]
test_evaluator = [*val_evaluator, dict(type="Dice"), dict(type="OverallAccuracy")]
