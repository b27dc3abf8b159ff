"""Learnt features of a location, and their net with sine activations."""

import math

import pytest
import torch

from openstl_ext.layers.location_encoding import LocationEncoding, Siren, spherical_harmonics


def test_it_has_the_published_size() -> None:
    """With another size than 100 harmonics, two layers of 64 and 8 features, weights do not fit."""
    assert sum(p.numel() for p in LocationEncoding(8).parameters()) == 11_144


def test_it_is_a_siren_of_the_harmonics() -> None:
    """With another first frequency the features would vary only between continents."""
    torch.manual_seed(0)
    encoding = LocationEncoding(3, degrees=4, hidden_channels=5)
    lonlat = torch.rand(2, 2, 3, 4) * 60
    x = spherical_harmonics(lonlat, 4).permute(0, 2, 3, 1)  # channels last, as upstream has them
    first, second, last = encoding.net.layers
    expected = last(second((30 * first(x)).sin()).sin()).permute(0, 3, 1, 2)
    torch.testing.assert_close(encoding(lonlat), expected, rtol=1e-4, atol=1e-5)


def test_initial_weights_keep_the_spread_of_the_arguments() -> None:
    """The second sine would be almost linear, and the net could not learn sharp features."""
    torch.manual_seed(0)
    net = Siren(100, 64, 8)
    for layer, bound in zip(net.layers, (1 / 100, *[math.sqrt(6 / 64)] * 2), strict=True):
        largest = max(layer.weight.abs().max().item(), layer.bias.abs().max().item())
        assert 0.95 * bound < largest <= bound
    argument = net.layers[1](torch.rand(1000, 64).mul(2 * math.pi).sin())
    assert argument.std().item() == pytest.approx(1, rel=0.2)


def test_a_pixel_without_a_location_has_zero_features_and_finite_gradients() -> None:
    """NaN locations in the corners of a world map would make all weights NaN."""
    encoding = LocationEncoding(3, degrees=4, hidden_channels=5)
    lonlat = torch.rand(1, 2, 3, 4) * 60
    complete = encoding(lonlat)
    lonlat[0, 0, 1, 2], lonlat[0, 1, 2, 3] = torch.inf, torch.nan
    features = encoding(lonlat)
    features.square().sum().backward()
    assert not features[0, :, 1, 2].any()
    assert not features[0, :, 2, 3].any()
    torch.testing.assert_close(features[0, :, 0], complete[0, :, 0])
    assert all(p.grad is not None and p.grad.isfinite().all() for p in encoding.parameters())


def test_autocast_does_not_change_the_features() -> None:
    """Rounding in bf16, times 30, would move each pixel to another location."""
    encoding = LocationEncoding(3, degrees=6, hidden_channels=8)
    lonlat = torch.rand(1, 2, 4, 4) * 60
    with torch.autocast("cpu", torch.bfloat16):
        mixed = encoding(lonlat)
    torch.testing.assert_close(mixed, encoding(lonlat), rtol=0, atol=0)
