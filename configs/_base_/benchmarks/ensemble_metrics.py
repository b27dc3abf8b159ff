"""Metrics of ensembles; benchmarks read the list as ``_base_.ensemble``."""

ensemble = [
    dict(type="CRPS"),
    dict(type="FairCRPS"),
    dict(type="EnergyScore"),
    dict(type="SpreadSkill"),
    dict(type="RankHistogram"),
]
