"""Our SSIM and PSNR are those of scikit-image."""

import numpy as np
import pytest
import torch

from openstl_ext.errors import ShapeError
from openstl_ext.registry import METRICS
from tests.metrics.samples import drawn_samples, evaluated

NAMES = ("SSIM", "SSIMOpenSTL", "PSNR")


@pytest.mark.parametrize("name", NAMES)
def test_both_implementations_agree(name: str) -> None:
    """With gaps too: the windows and pixels that count are the same."""
    samples = drawn_samples(3, (2, 2, 20, 17))
    samples[1]["valid"][0, :, 2:4, 10:] = False
    ours = METRICS.build({"type": name})
    theirs = METRICS.build({"type": name, "implementation": "scikit-image"})
    first, second = evaluated(ours, samples), evaluated(theirs, samples)
    assert second == pytest.approx(first, abs=2e-5)
    assert ours.convention() != theirs.convention()


def test_the_function_of_scikit_image_is_called() -> None:
    """The score of one frame is what papers print."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    (one,) = drawn_samples(1, (1, 1, 32, 32))
    forecast, target = (one[side][0, 0].numpy() for side in ("forecast", "target"))
    metric = METRICS.build({"type": "SSIM", "implementation": "scikit-image"})
    expected = structural_similarity(
        forecast,
        target,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert evaluated(metric, [one])["ssim"] == pytest.approx(float(expected), abs=1e-6)
    metric = METRICS.build({"type": "PSNR", "implementation": "scikit-image"})
    expected = peak_signal_noise_ratio(target, forecast, data_range=1)
    assert evaluated(metric, [one])["psnr"] == pytest.approx(float(expected), abs=1e-5)


def test_a_frame_without_a_valid_pixel_is_not_counted() -> None:
    samples = drawn_samples(2)
    metric = METRICS.build({"type": "PSNR", "implementation": "scikit-image"})
    alone = evaluated(metric, samples[:1])["psnr"]
    samples[1]["valid"] = torch.zeros_like(samples[1]["valid"])
    assert np.isclose(evaluated(metric, samples)["psnr"], alone)


@pytest.mark.parametrize("implementation", ["torch", "scikit-image"])
def test_a_frame_smaller_than_the_window_is_one_sentence(implementation: str) -> None:
    metric = METRICS.build({"type": "SSIM", "implementation": implementation})
    with pytest.raises(ShapeError, match="at least 11 pixels per side"):
        evaluated(metric, drawn_samples(1, (1, 1, 8, 12)))
