import math
from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.decibel import CEILING, PSNR, SNR
from openstl_ext.metrics.ssim import SSIM, SSIMOpenSTL, SSIMSimVPMinimal
from tests.metrics.samples import drawn_samples, evaluated, frames, sample

TARGET = frames([[1.0, 0.0], [1.0, 0.0]])
FORECAST = frames([[0.9, 0.1], [0.9, 0.1]])  # mean squares: error 0.01, target 0.5


def test_ratios_equal_those_by_hand() -> None:
    """A wrong peak, such as 255 for data in [0, 1], adds 48 dB."""
    pair = [sample(FORECAST, TARGET)]
    assert evaluated(PSNR(), pair)["psnr"] == pytest.approx(20.0, abs=1e-5)
    assert evaluated(PSNR(data_range=10), pair)["psnr"] == pytest.approx(40.0, abs=1e-5)
    assert evaluated(SNR(), pair)["snr"] == pytest.approx(10 * math.log10(50), abs=1e-5)


def test_psnr_equals_scikit_image_frame_by_frame() -> None:
    """One ratio of the whole set would be another number than the mean over frames."""
    samples = drawn_samples(3, (4, 3, 12, 9))
    theirs = np.mean(
        [
            peak_signal_noise_ratio(t.double().numpy(), f.double().numpy(), data_range=1.0)
            for s in samples
            for t, f in zip(s["target"], s["forecast"], strict=True)
        ]
    )
    assert evaluated(PSNR(), samples)["psnr"] == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("metric", [PSNR(), SNR()], ids=lambda m: m.name)
def test_a_perfect_frame_has_the_ceiling_and_is_counted(metric: PSNR | SNR) -> None:
    """One frame without error would make the mean infinite."""
    perfect, other = sample(TARGET, TARGET), sample(FORECAST, TARGET)
    alone = evaluated(metric, [other])[metric.name]
    both = evaluated(metric, [perfect, other])[metric.name]
    assert both == pytest.approx((CEILING + alone) / 2)
    assert metric.describe()[metric.name]["num_perfect"] == 1


def test_a_frame_without_signal_is_not_counted() -> None:
    """Its ratio is minus infinity or undefined."""
    silent = torch.zeros_like(TARGET)
    heard = evaluated(SNR(), [sample(FORECAST, TARGET)])["snr"]
    for forecast in (silent, FORECAST):
        metric = SNR()
        pair = [sample(forecast, silent), sample(FORECAST, TARGET)]
        assert evaluated(metric, pair)["snr"] == heard
        assert metric.describe()["snr"]["num_unscored_frames"] == 1


@pytest.mark.parametrize("kind", [PSNR, SNR])
def test_the_forecast_is_clipped_and_not_the_target(kind: type[PSNR | SNR]) -> None:
    """Scores would differ from OpenSTL's."""
    wild = frames([[1.5, 0.1], [0.9, -3.0]])
    tame = frames([[1.0, 0.1], [0.9, 0.0]])
    clipped = evaluated(kind(clip=(0.0, 1.0)), [sample(wild, TARGET)])
    assert clipped == evaluated(kind(), [sample(tame, TARGET)])
    assert evaluated(kind(), [sample(wild, TARGET)]) != clipped
    bright = evaluated(kind(clip=(0.0, 1.0)), [sample(tame, 2 * TARGET)])
    assert bright == evaluated(kind(), [sample(tame, 2 * TARGET)])


@pytest.mark.parametrize("metric", [PSNR, SNR, SSIM, SSIMOpenSTL, SSIMSimVPMinimal])
@pytest.mark.parametrize("clip", [(1.0, 0.0), (0.5, 0.5)])
def test_a_range_without_width_is_refused(metric: Any, clip: tuple[float, float]) -> None:
    """All forecasts would be set to one value, and scored."""
    with pytest.raises(ConfigError, match=r"must be \(lower, upper\)"):
        metric(clip=clip)
