"""Boiling, 32 x 32, with metrics of ensembles: ten frames as input, the next ten as target."""

_base_ = ["boiling_small_10to10.py", "ensemble_metrics.py"]

# the first metric selects the best checkpoint
val_evaluator = [dict(type="CRPS"), dict(type="MeanMSE")]
test_evaluator = [*_base_.ensemble, dict(type="MeanMSE"), dict(type="MeanMAE")]
