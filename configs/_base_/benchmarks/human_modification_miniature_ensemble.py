"""The miniature of Human Modification, 2005 to 2020, with metrics of ensembles."""

_base_ = ["human_modification_miniature_direct.py", "ensemble_metrics.py"]

val_evaluator = [dict(type="CRPS"), dict(type="MeanMAE"), dict(type="ValidPixels")]
test_evaluator = [
    *_base_.ensemble,
    dict(type="MeanMAE"),
    dict(type="MeanRMSE"),
    dict(type="Bias"),
    dict(type="ValidPixels"),
]
