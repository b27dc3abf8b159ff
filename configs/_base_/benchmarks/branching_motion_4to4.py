"""Branching motion, 16 x 16: four frames as input, the next four as target, one before the turn."""

_base_ = "ensemble_metrics.py"

loader = dict(batch_size=32, num_workers=0)
dataset = dict(type="BranchingMotion", root="data/branching_motion", num_inputs=4, num_targets=4)

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

# the first metric selects the best checkpoint
val_evaluator = [dict(type="CRPS"), dict(type="MeanMSE")]
test_evaluator = [*_base_.ensemble, dict(type="MeanMSE"), dict(type="MeanMAE")]
