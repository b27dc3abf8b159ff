"""Metrics of video forecasting, those of OpenSTL and others."""

# the first metric selects the best checkpoint
val_evaluator = [dict(type="SummedMSE"), dict(type="MeanMSE"), dict(type="MeanMAE")]
test_evaluator = [
    dict(type="SummedMSE"),
    dict(type="SummedMAE"),
    dict(type="SummedRMSE"),
    dict(type="MeanMSE"),
    dict(type="MeanMAE"),
    dict(type="PSNR", clip=[0, 1]),
    dict(type="SSIM"),
    dict(type="SSIMOpenSTL"),
]
