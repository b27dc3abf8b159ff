"""Evaluation on UC-Merced, RGB, 21 classes: the published split of 1,260 / 420 / 420."""

loader = dict(batch_size=256, num_workers=4)
dataset = dict(type="UCMerced", root="data/uc_merced")

val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="OverallAccuracy")]
test_evaluator = [
    *val_evaluator,
    dict(type="AverageAccuracy"),
    dict(type="CohenKappa"),
    dict(type="Dice"),  # F1 of each class
]
