"""RESISC45, RGB, 45 classes: the published split of 18,900 / 6,300 / 6,300."""

loader = dict(batch_size=64, num_workers=4)
dataset = dict(type="RESISC45", root="data/resisc45")

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="OverallAccuracy")]
test_evaluator = [
    *val_evaluator,
    dict(type="AverageAccuracy"),
    dict(type="CohenKappa"),
    dict(type="Dice"),  # F1 of each class
]
