"""Structural similarity against scikit-image in float64, which is the oracle."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.metrics import similarity as similarity_module
from openstl_ext.metrics.similarity import similarity
from openstl_ext.metrics.ssim import GAUSSIAN, SSIM, UNIFORM, SSIMOpenSTL, SSIMSimVPMinimal
from openstl_ext.metrics.windows import Window, local_sums
from tests.metrics.samples import draw, evaluated, frames, sample

SHAPES = [(2, 1, 16, 24), (2, 3, 24, 13), (1, 1, 11, 11)]
WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def scenes(shape: tuple[int, ...]) -> dict[str, tuple[Tensor, Tensor]]:
    """Forecast and truth of kinds that stress the arithmetic."""
    truth = draw(*shape, seed=1)
    two_tone = (torch.arange(shape[-1]) * 2 // shape[-1] * 0.8 + 0.1).expand(shape)
    row = torch.arange(shape[-2]).view(-1, 1) / 7
    smooth = (0.9 + 0.01 * torch.sin(row)).expand(shape)
    dark = torch.where(draw(*shape, seed=3) > 0.9, draw(*shape, seed=4), 0.0)
    return {
        "noise": (draw(*shape), truth),
        "near": (0.75 * truth + 0.25 * draw(*shape), truth),
        "beyond": (1.4 * truth - 0.2, truth),
        "two tones": (two_tone.roll(5, -2) * 0.9, two_tone.contiguous()),
        "far from zero": (smooth + 0.002 * draw(*shape), smooth.contiguous()),
        "constant": (torch.full(shape, 0.7313), torch.full(shape, 0.3137)),
        "mostly black": (dark.roll(1, -1), dark),
    }


def oracle(forecast: Tensor, target: Tensor, **settings: object) -> np.ndarray:
    """scikit-image's score of each frame."""
    pairs = zip(forecast.double().numpy(), target.double().numpy(), strict=True)
    return np.array([structural_similarity(f, t, channel_axis=0, **settings) for f, t in pairs])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scene", scenes(SHAPES[0]))
def test_ssim_equals_scikit_image(shape: tuple[int, ...], scene: str) -> None:
    """Wang's SSIM under another window is another number with the same name."""
    forecast, target = scenes(shape)[scene]
    scores = evaluated(SSIM(), [sample(forecast, target)])
    theirs = oracle(forecast, target, data_range=1.0, **WANG)
    assert [*scores.values()][1:] == pytest.approx(theirs, abs=1e-6)
    assert scores["ssim"] == pytest.approx(theirs.mean(), abs=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scene", scenes(SHAPES[0]))
def test_ssim_openstl_equals_scikit_image(shape: tuple[int, ...], scene: str) -> None:
    """The tables of OpenSTL stand on a data range of 2 and a clipped forecast."""
    forecast, target = scenes(shape)[scene]
    scores = evaluated(SSIMOpenSTL(), [sample(forecast, target)])
    theirs = oracle(forecast.clamp(0, 1), target, data_range=2.0)
    assert [*scores.values()][1:] == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("scene", ["noise", "near", "beyond", "two tones", "far from zero"])
@pytest.mark.parametrize("channels", [1, 3, 9])
def test_ssim_simvp_minimal_equals_scikit_image(scene: str, channels: int) -> None:
    """The range is that of a true frame, and from 7 channels on the window is a cube."""
    forecast, target = scenes((2, channels, 16, 13))[scene]
    scores = evaluated(SSIMSimVPMinimal(), [sample(forecast, target)])
    theirs = []
    for f, t in zip(forecast.clamp(0, 1).double().numpy(), target.double().numpy(), strict=True):
        volume = {} if channels >= 7 else {"channel_axis": 0}
        theirs.append(structural_similarity(f, t, data_range=t.max() - t.min(), **volume))
    assert [*scores.values()][1:] == pytest.approx(theirs, abs=1e-6)


def test_a_true_frame_of_one_value_has_no_range_and_is_not_counted() -> None:
    """0 / 0 would be the score of a whole test set with one blank frame in it."""
    target = draw(2, 1, 8, 8)
    target[0] = 0.4
    metric = SSIMSimVPMinimal()
    scores = evaluated(metric, [sample(draw(2, 1, 8, 8, seed=1), target)])
    assert np.isnan(scores["ssim_simvp_minimal@1"])
    assert scores["ssim_simvp_minimal"] == scores["ssim_simvp_minimal@2"]


@pytest.mark.parametrize("window", [GAUSSIAN, UNIFORM], ids=["gaussian", "uniform"])
def test_a_flat_forecast_of_a_flat_truth_is_judged_by_its_level_alone(window: Window) -> None:
    """By hand: without spread only (2ab + C1) / (a^2 + b^2 + C1) is left."""
    a, b, c1 = 0.25, 0.75, 0.01**2
    flat = torch.ones(1, 1, 12, 12)
    total, count = similarity(a * flat, b * flat, window=window)
    expected = (2 * a * b + c1) / (a**2 + b**2 + c1)
    assert (total / count).item() == pytest.approx(expected, abs=1e-6)


def test_a_smallest_window_is_what_it_is_by_hand() -> None:
    """One window of 3 x 3 with a single bright pixel: every term can be written down."""
    target = frames([[0.0, 0.0, 0.0], [0.0, 0.9, 0.0], [0.0, 0.0, 0.0]])
    total, count = similarity(torch.zeros_like(target), target, window=Window(size=3))
    c1, c2 = 0.01**2, 0.03**2
    mean, spread = 0.1, 0.81 / 9 - 0.01
    assert count.item() == 1
    assert total.item() == pytest.approx(c1 / (mean**2 + c1) * c2 / (spread + c2), abs=1e-7)


@pytest.mark.parametrize("kind", [SSIM, SSIMOpenSTL, SSIMSimVPMinimal])
def test_only_windows_without_a_gap_count(kind: type[SSIM]) -> None:
    """With a gap along one edge, what is left is the same frame cut off before it."""
    target = draw(2, 1, 24, 20)
    forecast = 0.7 * target + 0.3 * draw(2, 1, 24, 20, seed=1)
    target[..., 5, 3], target[..., 6, 3] = 0.0, 1.0  # the range of both is the same
    valid = torch.ones_like(target, dtype=torch.bool)
    valid[..., 15:] = False
    gappy = evaluated(kind(), [sample(forecast, target, valid)])
    cut = evaluated(kind(), [sample(forecast[..., :15], target[..., :15])])
    assert gappy == pytest.approx(cut, abs=1e-6)


def test_a_frame_weighs_as_many_windows_as_it_has() -> None:
    """A coast with one window left would else say as much as a whole chip of land."""
    target, forecast = draw(2, 1, 24, 20), draw(2, 1, 24, 20, seed=1)
    forecast[1] = 0.8 * target[1] + 0.2 * forecast[1]
    valid = torch.ones_like(target, dtype=torch.bool)
    valid[1, ..., 12:] = False
    scores = evaluated(SSIM(), [sample(forecast, target, valid)])
    first, second = 14 * 10, 14 * 2
    pooled = (first * scores["ssim@1"] + second * scores["ssim@2"]) / (first + second)
    assert scores["ssim"] == pytest.approx(pooled)


def test_a_frame_smaller_than_the_window_is_refused() -> None:
    """A score of no window is no score; the message has to name both sizes."""
    with pytest.raises(ShapeError, match=r"at least 11 pixels.*\(1, 8, 20\)"):
        evaluated(SSIM(), [sample(draw(1, 1, 8, 20), draw(1, 1, 8, 20))])


def test_chunks_do_not_change_the_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are taken a few at a time for the sake of the cache, and for nothing else."""
    forecast, target = scenes((7, 1, 16, 16))["near"]
    whole, _ = similarity(forecast, target, window=UNIFORM)
    monkeypatch.setattr(similarity_module, "CHUNK", 3 * 256)
    chunked, _ = similarity(forecast, target, window=UNIFORM)
    torch.testing.assert_close(chunked, whole, rtol=0, atol=0)


@pytest.mark.parametrize("size", [3, 5, 7, 9, 11, 13])
def test_local_sums_equal_those_of_a_pool(size: int) -> None:
    """Sums are put together from powers of two; each size takes another path."""
    maps = draw(2, 3, 17, 15)
    ours = local_sums(maps, Window(size=size), axes=2)
    pooled = torch.nn.functional.avg_pool2d(maps, size, stride=1, divisor_override=1)
    torch.testing.assert_close(ours, pooled)
