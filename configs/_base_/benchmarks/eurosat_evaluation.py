"""Evaluation on EuroSAT, 13 bands of Sentinel-2, ten classes."""

loader = dict(batch_size=256, num_workers=4)
dataset = dict(type="EuroSAT", root="data/eurosat")

val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="OverallAccuracy")]
test_evaluator = [
    *val_evaluator,
    dict(type="AverageAccuracy"),
    dict(type="CohenKappa"),
    dict(type="Dice"),  # F1 of each class
]
