"""Real spherical harmonics, compared with scipy."""

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from openstl_ext.layers import location_encoding as module
from openstl_ext.layers.location_encoding import spherical_harmonics


def locations(count: int) -> torch.Tensor:
    """Return random locations with the poles and both sides of the date line (1, 2, N)."""
    draw = np.random.default_rng(0)
    lon, lat = draw.uniform(-180, 180, count), draw.uniform(-90, 90, count)
    lat[:2], lon[2:4] = (90, -90), (180, -180)
    return torch.from_numpy(np.stack([lon, lat])[None])


def by_scipy(lonlat: torch.Tensor, degrees: int) -> np.ndarray:
    """Compute the same functions from complex ones with the Condon-Shortley phase."""
    azimuth, polar = np.deg2rad(lonlat[0, 0].numpy() + 180), np.deg2rad(lonlat[0, 1].numpy() + 90)
    rows = []
    for degree in range(degrees):
        for order in range(-degree, degree + 1):
            value = (-1) ** order * sph_harm_y(degree, abs(order), polar, azimuth)
            part = value.imag if order < 0 else value.real
            rows.append(part * (np.sqrt(2) if order else 1))
    return np.stack(rows)


@pytest.mark.parametrize("degrees", [1, 2, 10, 40])
def test_they_equal_those_of_scipy(degrees: int) -> None:
    """Another sign or order would make published location encoders a different function."""
    lonlat = locations(300)
    ours = spherical_harmonics(lonlat, degrees)
    assert ours.shape == (1, degrees**2, 300)
    assert ours.dtype == torch.float32
    np.testing.assert_allclose(ours[0].numpy(), by_scipy(lonlat, degrees), atol=5e-7)


def test_they_are_orthonormal_on_the_sphere() -> None:
    """Features would be redundant; checked with an exact quadrature."""
    heights, weights = np.polynomial.legendre.leggauss(12)
    lon = np.arange(24) * 15.0
    grid = np.meshgrid(lon, np.rad2deg(np.arcsin(heights)))
    lonlat = torch.from_numpy(np.stack(grid)[None])  # (1, 2, 12, 24)
    found = spherical_harmonics(lonlat, 10)[0].double()
    area = torch.from_numpy(weights * 2 * np.pi / 24)
    products = torch.einsum("ihw,jhw,h->ij", found, found, area)
    torch.testing.assert_close(products, torch.eye(100, dtype=torch.float64), rtol=0, atol=1e-6)


def test_chunks_of_locations_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """Edges between the chunks would be visible on a map."""
    lonlat = locations(60).view(2, 2, 5, 6).float()
    complete = spherical_harmonics(lonlat, 6)
    monkeypatch.setattr(module, "LOCATIONS_AT_ONCE", 7)
    torch.testing.assert_close(spherical_harmonics(lonlat, 6), complete, rtol=0, atol=1e-7)
    assert complete.shape == (2, 36, 5, 6)
    torch.testing.assert_close(complete[1:], spherical_harmonics(lonlat[1:], 6), rtol=0, atol=0)


def test_neighbours_differ_under_autocast() -> None:
    """In bf16 all 1 km pixels of a chip would have the same location."""
    lonlat = torch.tensor([[20.0, 20.009], [-30.0, -30.0]])[None]
    with torch.autocast("cpu", torch.bfloat16):
        found = spherical_harmonics(lonlat, 10)
    exact = by_scipy(lonlat.double(), 10)
    step = (found[..., 1] - found[..., 0])[0].numpy()
    np.testing.assert_allclose(step, exact[:, 1] - exact[:, 0], atol=2e-7)
    assert np.abs(step).max() > 1e-4
