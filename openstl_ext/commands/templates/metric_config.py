"""Small SimVP-gSTA on boiling, tested with NewMetric as well."""

_base_ = ["boiling/simvp_gsta_small"]

custom_imports = dict(imports=["new_metric"])

test_evaluator = [dict(type="SummedMSE"), dict(type="MeanMSE"), dict(type="NewMetric")]

source = dict(name="SimVP-gSTA (NewMetric)")
