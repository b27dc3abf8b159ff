"""Loss of structural similarity, compared with scikit-image."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from openstl_ext.errors import ShapeError
from openstl_ext.losses.structural import StructuralDissimilarity
from tests.losses.masked_fields import fields

WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


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
    loss = StructuralDissimilarity()
    loss.weights = loss.weights.double()
    moved = prediction.requires_grad_()
    similarity = lambda x: loss._similarity(x.flatten(0, 1), target.flatten(0, 1)).mean()  # noqa: E731
    assert torch.autograd.gradcheck(similarity, moved, eps=1e-6, atol=1e-6)
    assert valid.any()


def test_a_chip_smaller_than_the_window_is_rejected() -> None:
    """The mean over no window would be 0 or NaN."""
    with pytest.raises(ShapeError, match="8 x 20"):
        StructuralDissimilarity()(torch.rand(1, 1, 8, 20), torch.rand(1, 1, 8, 20))
