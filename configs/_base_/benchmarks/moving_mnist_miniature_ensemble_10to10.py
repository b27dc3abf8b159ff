"""Moving MNIST 10 to 10 on its synthetic miniature, with metrics of ensembles."""

_base_ = ["moving_mnist_miniature_10to10.py", "ensemble_metrics.py"]

# the first metric selects the best checkpoint
val_evaluator = [dict(type="CRPS"), dict(type="MeanMSE")]
test_evaluator = [*_base_.ensemble, dict(type="MeanMSE"), dict(type="MeanMAE")]
