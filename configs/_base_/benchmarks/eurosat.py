"""EuroSAT, 13 bands of Sentinel-2, ten classes: the published split of 16,200 / 5,400 / 5,400."""

_base_ = "eurosat_evaluation.py"

train_dataloader = dict(**_base_.loader, dataset=dict(**_base_.dataset, split="train"))
