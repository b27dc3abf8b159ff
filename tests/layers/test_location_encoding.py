"""Learnt features of a place, and the net of sines below them."""

import math

import pytest
import torch

from openstl_ext.layers.location_encoding import LocationEncoding, Siren, spherical_harmonics


def test_it_has_the_published_size() -> None:
    """100 harmonics, two layers of 64, 8 features; another size is another encoder."""
    assert sum(p.numel() for p in LocationEncoding(8).parameters()) == 11_144


def test_it_is_sines_of_weighted_harmonics() -> None:
    """The first sine is 30 times as fast; a slip there trains, and sees continents only."""
    torch.manual_seed(0)
    encoding = LocationEncoding(3, degrees=4, hidden_channels=5)
    lonlat = torch.rand(2, 2, 3, 4) * 60
    x = spherical_harmonics(lonlat, 4).permute(0, 2, 3, 1)  # channels last, as upstream has them
    first, second, last = encoding.net.layers
    expected = last(second((30 * first(x)).sin()).sin()).permute(0, 3, 1, 2)
    torch.testing.assert_close(encoding(lonlat), expected, rtol=1e-4, atol=1e-5)


def test_weights_are_drawn_as_the_sines_need_them() -> None:
    """With an ordinary draw the second sine is all but linear, and nothing sharp is learnt."""
    torch.manual_seed(0)
    net = Siren(100, 64, 8)
    for layer, bound in zip(net.layers, (1 / 100, *[math.sqrt(6 / 64)] * 2), strict=True):
        largest = max(layer.weight.abs().max().item(), layer.bias.abs().max().item())
        assert 0.95 * bound < largest <= bound
    argument = net.layers[1](torch.rand(1000, 64).mul(2 * math.pi).sin())
    assert argument.std().item() == pytest.approx(1, rel=0.2)


def test_a_pixel_without_a_place_has_no_features_and_spoils_no_weight() -> None:
    """The corners of a world map lie nowhere; their NaN would end the training."""
    encoding = LocationEncoding(3, degrees=4, hidden_channels=5)
    lonlat = torch.rand(1, 2, 3, 4) * 60
    whole = encoding(lonlat)
    lonlat[0, 0, 1, 2], lonlat[0, 1, 2, 3] = torch.inf, torch.nan
    features = encoding(lonlat)
    features.square().sum().backward()
    assert not features[0, :, 1, 2].any()
    assert not features[0, :, 2, 3].any()
    torch.testing.assert_close(features[0, :, 0], whole[0, :, 0])
    assert all(p.grad is not None and p.grad.isfinite().all() for p in encoding.parameters())


def test_autocast_does_not_move_a_pixel() -> None:
    """Thirty times a rounding of bf16 is another place."""
    encoding = LocationEncoding(3, degrees=6, hidden_channels=8)
    lonlat = torch.rand(1, 2, 4, 4) * 60
    with torch.autocast("cpu", torch.bfloat16):
        mixed = encoding(lonlat)
    torch.testing.assert_close(mixed, encoding(lonlat), rtol=0, atol=0)
