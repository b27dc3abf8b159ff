"""The pyramid criterion, by hand; its values are replayed from a record too."""

import pytest
import torch

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.losses.laplacian import LaplacianPyramid
from tests.losses.masked_fields import fields


def test_one_level_is_the_mean_absolute_error() -> None:
    """The low pass of no reduction is the field itself."""
    prediction, target, valid = fields()
    error = (prediction - target).abs()
    found = LaplacianPyramid(levels=1)(prediction, target, valid)
    torch.testing.assert_close(found, error[valid].mean())


def test_bands_see_what_is_fine_and_the_low_pass_what_is_coarse() -> None:
    """Swapped, the loss would punish the level of a map and not its roads."""
    flat = torch.zeros(1, 1, 32, 32)
    checked = (torch.arange(32) % 2 * 2.0 - 1).expand(1, 1, 32, 32)
    bands = LaplacianPyramid(levels=2, include_lowpass=False)
    both = LaplacianPyramid(levels=2)
    assert bands(checked, flat) > 0.9
    assert 2 * both(checked, flat) - bands(checked, flat) < 0.1  # what is left is the low pass
    inner = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    inner[..., 8:24, 8:24] = True  # away from the zeros around the frame
    bands.mix_gaps = True
    assert bands(flat + 1, flat, inner) < 1e-6


def test_a_coarse_pixel_counts_where_most_of_it_is_known() -> None:
    """Two valid pixels of four are not most."""
    prediction, target = torch.rand(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    loss = LaplacianPyramid(levels=2)
    three = torch.tensor([[True, True], [True, False]]).view(1, 1, 2, 2)
    two = torch.tensor([[True, True], [False, False]]).view(1, 1, 2, 2)
    band_only = LaplacianPyramid(levels=2, include_lowpass=False)
    for valid, lowpass in ((three, True), (two, False)):
        rest = 2 * loss(prediction, target, valid) - band_only(prediction, target, valid)
        assert (rest > 1e-3) == lowpass


def test_what_cannot_be_halved_is_refused() -> None:
    """A level of no pixel is no level."""
    with pytest.raises(ShapeError, match="3 x 8"):
        LaplacianPyramid()(torch.rand(1, 1, 3, 8), torch.rand(1, 1, 3, 8))
    with pytest.raises(ConfigError, match="no band"):
        LaplacianPyramid(levels=1, include_lowpass=False)
