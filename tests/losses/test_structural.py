"""Loss of structural similarity, compared with scikit-image."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor
from torch.nn import functional as F

from openstl_ext.errors import ShapeError
from openstl_ext.losses.gaussian import gaussian_weights
from openstl_ext.losses.structural import (
    StructuralDissimilarity,
    StructuralDissimilarityTorchmetrics,
    similarity_map,
)
from tests.losses.masked_fields import fields

WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
RECORDED = {1.0: 0.9763747434, 7.5: 0.7454055542}
"""By data range: torchmetrics 1.9.0, in float64, on the fields of these tests."""


@pytest.mark.parametrize("data_range", [1.0, 7.5])
@pytest.mark.parametrize("level", [0.0, 40.0])
def test_it_is_1_minus_the_ssim_of_skimage(data_range: float, level: float) -> None:
    """Another window or range would be another loss with the same name."""
    prediction, target, _ = (f + level for f in fields())
    found = StructuralDissimilarity(data_range=data_range)(prediction, target)
    pairs = zip(prediction.flatten(0, 2), target.flatten(0, 2), strict=True)
    theirs = [
        structural_similarity(a.double().numpy(), b.double().numpy(), data_range=data_range, **WANG)
        for a, b in pairs
    ]
    assert found.item() == pytest.approx(1 - np.mean(theirs), abs=2e-6)


def test_windows_with_invalid_pixels_do_not_count() -> None:
    """Filled gaps are equal on both sides and would improve the loss."""
    prediction, target, _ = fields()
    valid = torch.ones_like(target, dtype=torch.bool)
    valid[..., 14:] = False
    cut = StructuralDissimilarity()(prediction[..., :14], target[..., :14])
    torch.testing.assert_close(StructuralDissimilarity()(prediction, target, valid), cut)
    assert StructuralDissimilarity(zero_filled=True)(prediction, target, valid) < cut


def test_the_published_variant_fills_gaps_with_zeros() -> None:
    """Runs that repeat the published training would use another loss."""
    prediction, target, valid = fields()
    expected = StructuralDissimilarity()(prediction * valid, target * valid)
    found = StructuralDissimilarity(zero_filled=True)(prediction, target, valid)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_its_gradient_equals_finite_differences() -> None:
    """The subtraction of the mean, which has no gradient, would change the gradient."""
    prediction, target, valid = (f[:1, :1].double() for f in fields())
    weights = gaussian_weights(11, 1.5).double()
    moved = prediction.requires_grad_()
    similarity = lambda x: similarity_map(x.flatten(0, 1), target.flatten(0, 1), weights, 1.0)  # noqa: E731
    assert torch.autograd.gradcheck(similarity, moved, eps=1e-6, atol=1e-6)
    assert valid.any()


def test_a_chip_smaller_than_the_window_is_rejected() -> None:
    """The mean over no window would be 0 or NaN."""
    with pytest.raises(ShapeError, match="8 x 20"):
        StructuralDissimilarity()(torch.rand(1, 1, 8, 20), torch.rand(1, 1, 8, 20))


def of_torchmetrics(prediction: Tensor, target: Tensor, data_range: float) -> Tensor:
    """Compute 1 - SSIM as torchmetrics 1.9 does, step by step: images (N, 1, H, W), float64."""
    x = torch.arange(-5.0, 6.0, dtype=torch.float64)
    density = torch.exp(-((x / 1.5) ** 2) / 2)
    kernel = torch.outer(density, density) / density.sum() ** 2
    p, t = (F.pad(f, (5, 5, 5, 5), mode="reflect") for f in (prediction, target))
    maps = F.conv2d(torch.cat([p, t, p * p, t * t, p * t]), kernel[None, None])
    mp, mt, pp, tt, pt = maps.split(len(p))
    vp, vt, c = (pp - mp**2).clamp(min=0), (tt - mt**2).clamp(min=0), pt - mp * mt
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    ssim = (2 * mp * mt + c1) * (2 * c + c2) / ((mp**2 + mt**2 + c1) * (vp + vt + c2))
    return 1 - ssim.flatten(1).mean(dim=1).mean()


@pytest.mark.parametrize("size", [24, 128])
@pytest.mark.parametrize("gaps", [False, True])
def test_value_and_gradient_are_those_of_torchmetrics(size: int, gaps: bool) -> None:
    """HM would be trained with another loss than published; 5 % differ at 24 pixels."""
    draw = torch.Generator().manual_seed(size)
    target = torch.randn(2, 3, 1, size, size, generator=draw)
    prediction = target + 0.5 * torch.randn(target.shape, generator=draw)
    valid = torch.rand(target.shape, generator=draw) > 0.1 * gaps
    ours = prediction.clone().requires_grad_()
    found = StructuralDissimilarityTorchmetrics()(ours, target, valid if gaps else None)
    found.backward()

    exact = prediction.double().requires_grad_()
    images = [torch.where(valid, f, 0.0).flatten(0, 1) for f in (exact, target.double())]
    expected = of_torchmetrics(*images, data_range=1.0)
    expected.backward()
    assert found.item() == pytest.approx(expected.item(), abs=1e-6)
    error = (ours.grad - exact.grad).abs().max() / exact.grad.abs().max()
    assert error < 4e-6  # that of torchmetrics in float32 is twice as large as ours
    inside = StructuralDissimilarity(zero_filled=True)(prediction, target, valid)
    assert abs(inside.item() - expected.item()) > 1e-4


@pytest.mark.parametrize(("data_range", "expected"), RECORDED.items())
def test_it_has_the_recorded_values_of_torchmetrics(data_range: float, expected: float) -> None:
    """The plain form above could share a mistake with ours."""
    prediction, target, _ = fields()
    found = StructuralDissimilarityTorchmetrics(data_range=data_range)(prediction, target)
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_a_chip_that_cannot_be_reflected_is_rejected() -> None:
    """The error of torch would not name the remedy."""
    with pytest.raises(ShapeError, match="at least 6 x 6 pixels, got 5 x 20"):
        StructuralDissimilarityTorchmetrics()(torch.rand(1, 1, 5, 20), torch.rand(1, 1, 5, 20))
    smallest = torch.rand(1, 1, 6, 6)
    assert StructuralDissimilarityTorchmetrics()(smallest, smallest).item() < 1e-6
