"""Evaluation on WHU-RS19, RGB, 19 classes: lists by `openstl-ext data scenes`."""

loader = dict(batch_size=256, num_workers=4)
dataset = dict(type="WHURS19", root="data/whu_rs19")

val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="OverallAccuracy")]
test_evaluator = [
    *val_evaluator,
    dict(type="AverageAccuracy"),
    dict(type="CohenKappa"),
    dict(type="Dice"),  # F1 of each class
]
