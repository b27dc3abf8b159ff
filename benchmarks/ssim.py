"""Structural similarity of 100 forecasts of 10 frames, against scikit-image frame by frame."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from skimage.metrics import structural_similarity

from benchmarks.harness import Row, compare
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.ssim import SSIM, SSIMOpenSTL
from openstl_ext.structures import Sample

SHAPE = (100, 10, 1, 64, 64)
WANG = {
    "data_range": 1.0,
    "gaussian_weights": True,
    "sigma": 1.5,
    "use_sample_covariance": False,
}
OPENSTL = {"data_range": 2.0}


def rows() -> Iterator[Row]:
    """One row per convention, on one thread, as scikit-image uses only one."""
    rng = np.random.default_rng(0)
    target = rng.random(SHAPE, dtype=np.float32)
    forecast = 0.75 * target + 0.25 * rng.random(SHAPE, dtype=np.float32)
    valid = torch.ones(SHAPE[1:], dtype=torch.bool)
    samples: list[Sample] = [
        {"forecast": torch.from_numpy(f), "target": torch.from_numpy(t), "valid": valid}
        for f, t in zip(forecast, target, strict=True)
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for metric, settings in ((SSIM(), WANG), (SSIMOpenSTL(), OPENSTL)):
            baseline = partial(scikit_image, forecast[:, :, 0], target[:, :, 0], settings)
            theirs, ours = compare(baseline, partial(evaluated, metric, samples))
            name = f"{metric.name}, {SHAPE[0]} x {SHAPE[1]} frames of 64 x 64"
            yield Row(name, "scikit-image, frame by frame", theirs, ours, goal=3.0)
    finally:
        torch.set_num_threads(threads)


def evaluated(metric: SampleMetric, samples: list[Sample]) -> float:
    """Return the score as an evaluator computes it: batch by batch, then merged."""
    for first in range(0, len(samples), 10):
        metric.process(None, samples[first : first + 10])
    return metric.evaluate(len(samples))[metric.name]


def scikit_image(forecast: np.ndarray, target: np.ndarray, settings: dict) -> float:
    """Return the mean over frames (N, T, H, W), without a channel axis, which would be slower."""
    frames = zip(forecast.reshape(-1, 64, 64), target.reshape(-1, 64, 64), strict=True)
    return float(np.mean([structural_similarity(f, t, **settings) for f, t in frames]))
