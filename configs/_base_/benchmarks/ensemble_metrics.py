"""Metrics of ensembles, and of their means."""

# the first metric selects the best checkpoint
val_evaluator = [dict(type="CRPS"), dict(type="MeanMSE")]
test_evaluator = [
    dict(type="CRPS"),
    dict(type="FairCRPS"),
    dict(type="EnergyScore"),
    dict(type="SpreadSkill"),
    dict(type="RankHistogram"),
    dict(type="MeanMSE"),
    dict(type="MeanMAE"),
]
