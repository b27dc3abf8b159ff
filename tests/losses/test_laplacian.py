"""Pyramid loss, compared with values computed by hand; a golden record is replayed elsewhere."""

import pytest
import torch

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.losses.laplacian import LaplacianPyramid
from tests.losses.masked_fields import fields


def test_one_level_is_the_mean_absolute_error() -> None:
    """The low pass without a reduction must be the field itself."""
    prediction, target, valid = fields()
    error = (prediction - target).abs()
    found = LaplacianPyramid(levels=1)(prediction, target, valid)
    torch.testing.assert_close(found, error[valid].mean())


def test_bands_contain_fine_structures_and_the_low_pass_the_level() -> None:
    """The loss would penalise the level of a map and not its fine structures."""
    flat = torch.zeros(1, 1, 32, 32)
    stripes = (torch.arange(32) % 2 * 2.0 - 1).expand(1, 1, 32, 32)
    bands = LaplacianPyramid(levels=2, include_lowpass=False)
    both = LaplacianPyramid(levels=2)
    assert bands(stripes, flat) > 0.9
    assert 2 * both(stripes, flat) - bands(stripes, flat) < 0.1  # the difference is the low pass
    inner = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    inner[..., 8:24, 8:24] = True  # without the padding around the frame
    bands.mix_gaps = True
    assert bands(flat + 1, flat, inner) < 1e-6


def test_a_coarse_pixel_counts_if_more_than_half_is_valid() -> None:
    """Levels would be compared at pixels that are mostly invalid."""
    prediction, target = torch.rand(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    loss = LaplacianPyramid(levels=2)
    three = torch.tensor([[True, True], [True, False]]).view(1, 1, 2, 2)
    two = torch.tensor([[True, True], [False, False]]).view(1, 1, 2, 2)
    band_only = LaplacianPyramid(levels=2, include_lowpass=False)
    for valid, lowpass in ((three, True), (two, False)):
        rest = 2 * loss(prediction, target, valid) - band_only(prediction, target, valid)
        assert (rest > 1e-3) == lowpass


def test_frames_that_are_too_small_are_rejected() -> None:
    """A level would have no pixel."""
    with pytest.raises(ShapeError, match="3 x 8"):
        LaplacianPyramid()(torch.rand(1, 1, 3, 8), torch.rand(1, 1, 3, 8))
    with pytest.raises(ConfigError, match="no band"):
        LaplacianPyramid(levels=1, include_lowpass=False)
