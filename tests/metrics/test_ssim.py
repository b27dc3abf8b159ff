"""Structural similarity against scikit-image in float64."""

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
    """Return forecasts and targets of kinds that stress the arithmetic."""
    target = draw(*shape, seed=1)
    two_tone = (torch.arange(shape[-1]) * 2 // shape[-1] * 0.8 + 0.1).expand(shape)
    row = torch.arange(shape[-2]).view(-1, 1) / 7
    smooth = (0.9 + 0.01 * torch.sin(row)).expand(shape)
    dark = torch.where(draw(*shape, seed=3) > 0.9, draw(*shape, seed=4), 0.0)
    return {
        "noise": (draw(*shape), target),
        "near": (0.75 * target + 0.25 * draw(*shape), target),
        "beyond": (1.4 * target - 0.2, target),
        "two tones": (two_tone.roll(5, -2) * 0.9, two_tone.contiguous()),
        "far from zero": (smooth + 0.002 * draw(*shape), smooth.contiguous()),
        "constant": (torch.full(shape, 0.7313), torch.full(shape, 0.3137)),
        "mostly black": (dark.roll(1, -1), dark),
    }


def oracle(forecast: Tensor, target: Tensor, **settings: object) -> np.ndarray:
    """Return the score of scikit-image for each frame."""
    pairs = zip(forecast.double().numpy(), target.double().numpy(), strict=True)
    return np.array([structural_similarity(f, t, channel_axis=0, **settings) for f, t in pairs])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scene", scenes(SHAPES[0]))
def test_ssim_equals_scikit_image(shape: tuple[int, ...], scene: str) -> None:
    """Wang's SSIM with another window would be another number of the same name."""
    forecast, target = scenes(shape)[scene]
    scores = evaluated(SSIM(), [sample(forecast, target)])
    theirs = oracle(forecast, target, data_range=1.0, **WANG)
    assert [*scores.values()][1:] == pytest.approx(theirs, abs=1e-6)
    assert scores["ssim"] == pytest.approx(theirs.mean(), abs=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scene", scenes(SHAPES[0]))
def test_ssim_openstl_equals_scikit_image(shape: tuple[int, ...], scene: str) -> None:
    """Scores would differ from OpenSTL's tables: data range 2, clipped forecast."""
    forecast, target = scenes(shape)[scene]
    scores = evaluated(SSIMOpenSTL(), [sample(forecast, target)])
    theirs = oracle(forecast.clamp(0, 1), target, data_range=2.0)
    assert [*scores.values()][1:] == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("scene", ["noise", "near", "beyond", "two tones", "far from zero"])
@pytest.mark.parametrize("channels", [1, 3, 9])
def test_ssim_simvp_minimal_equals_scikit_image(scene: str, channels: int) -> None:
    """The range of each target frame, or the cube window from 7 channels on, would be missing."""
    forecast, target = scenes((2, channels, 16, 13))[scene]
    scores = evaluated(SSIMSimVPMinimal(), [sample(forecast, target)])
    theirs = []
    for f, t in zip(forecast.clamp(0, 1).double().numpy(), target.double().numpy(), strict=True):
        volume = {} if channels >= 7 else {"channel_axis": 0}
        theirs.append(structural_similarity(f, t, data_range=t.max() - t.min(), **volume))
    assert [*scores.values()][1:] == pytest.approx(theirs, abs=1e-6)


def test_a_target_frame_of_one_value_is_not_counted() -> None:
    """0 / 0 would be the score of a test set with one blank frame."""
    target = draw(2, 1, 8, 8)
    target[0] = 0.4
    metric = SSIMSimVPMinimal()
    scores = evaluated(metric, [sample(draw(2, 1, 8, 8, seed=1), target)])
    assert np.isnan(scores["ssim_simvp_minimal@1"])
    assert scores["ssim_simvp_minimal"] == scores["ssim_simvp_minimal@2"]


@pytest.mark.parametrize("window", [GAUSSIAN, UNIFORM], ids=["gaussian", "uniform"])
def test_flat_frames_are_compared_by_their_level(window: Window) -> None:
    """By hand: without variance only (2ab + C1) / (a^2 + b^2 + C1) is left."""
    a, b, c1 = 0.25, 0.75, 0.01**2
    flat = torch.ones(1, 1, 12, 12)
    total, count = similarity(a * flat, b * flat, window=window)
    expected = (2 * a * b + c1) / (a**2 + b**2 + c1)
    assert (total / count).item() == pytest.approx(expected, abs=1e-6)


def test_one_window_equals_that_by_hand() -> None:
    """One window of 3 x 3 with a single bright pixel, with every term written down."""
    target = frames([[0.0, 0.0, 0.0], [0.0, 0.9, 0.0], [0.0, 0.0, 0.0]])
    total, count = similarity(torch.zeros_like(target), target, window=Window(size=3))
    c1, c2 = 0.01**2, 0.03**2
    mean, spread = 0.1, 0.81 / 9 - 0.01
    assert count.item() == 1
    assert total.item() == pytest.approx(c1 / (mean**2 + c1) * c2 / (spread + c2), abs=1e-7)


@pytest.mark.parametrize("kind", [SSIM, SSIMOpenSTL, SSIMSimVPMinimal])
def test_only_windows_without_a_gap_are_counted(kind: type[SSIM]) -> None:
    """With a gap along one edge, the score must be that of the frame cut off before it."""
    target = draw(2, 1, 24, 20)
    forecast = 0.7 * target + 0.3 * draw(2, 1, 24, 20, seed=1)
    target[..., 5, 3], target[..., 6, 3] = 0.0, 1.0  # the range of both is the same
    valid = torch.ones_like(target, dtype=torch.bool)
    valid[..., 15:] = False
    gappy = evaluated(kind(), [sample(forecast, target, valid)])
    cut = evaluated(kind(), [sample(forecast[..., :15], target[..., :15])])
    assert gappy == pytest.approx(cut, abs=1e-6)


def test_the_weight_of_a_frame_is_its_number_of_windows() -> None:
    """A coast with one window would count as much as a full chip."""
    target, forecast = draw(2, 1, 24, 20), draw(2, 1, 24, 20, seed=1)
    forecast[1] = 0.8 * target[1] + 0.2 * forecast[1]
    valid = torch.ones_like(target, dtype=torch.bool)
    valid[1, ..., 12:] = False
    scores = evaluated(SSIM(), [sample(forecast, target, valid)])
    first, second = 14 * 10, 14 * 2
    pooled = (first * scores["ssim@1"] + second * scores["ssim@2"]) / (first + second)
    assert scores["ssim"] == pytest.approx(pooled)


def test_a_frame_smaller_than_the_window_is_rejected() -> None:
    """The user could not see both sizes."""
    with pytest.raises(ShapeError, match=r"at least 11 pixels.*\(1, 8, 20\)"):
        evaluated(SSIM(), [sample(draw(1, 1, 8, 20), draw(1, 1, 8, 20))])


def test_chunks_do_not_change_the_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """The score would depend on the chunk size."""
    forecast, target = scenes((7, 1, 16, 16))["near"]
    whole, _ = similarity(forecast, target, window=UNIFORM)
    monkeypatch.setattr(similarity_module, "CHUNK", 3 * 256)
    chunked, _ = similarity(forecast, target, window=UNIFORM)
    torch.testing.assert_close(chunked, whole, rtol=0, atol=0)


@pytest.mark.parametrize("size", [3, 5, 7, 9, 11, 13])
def test_local_sums_equal_those_of_a_pool(size: int) -> None:
    """Sums of a window size could be wrong; each size takes another path."""
    maps = draw(2, 3, 17, 15)
    ours = local_sums(maps, Window(size=size), axes=2)
    pooled = torch.nn.functional.avg_pool2d(maps, size, stride=1, divisor_override=1)
    torch.testing.assert_close(ours, pooled)
