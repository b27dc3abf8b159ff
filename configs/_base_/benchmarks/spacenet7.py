"""SpaceNet 7, Planet RGB, buildings, tiles of 256 x 256 pixels of 4 m."""

loader = dict(batch_size=8, num_workers=4)
dataset = dict(type="SpaceNet7", root="data/spacenet7")

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="IoU")]
test_evaluator = [*val_evaluator, dict(type="Dice"), dict(type="OverallAccuracy")]
