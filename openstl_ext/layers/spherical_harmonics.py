"""Real spherical harmonics, the smooth functions of a place on Earth."""

import math

import torch
from torch import Tensor

PLACES_AT_ONCE = 8192
"""Places a CPU computes at once, so that the tables of float64 stay in its cache."""


@torch.no_grad()
def spherical_harmonics(lonlat: Tensor, degrees: int) -> Tensor:
    """All harmonics below a degree, at any number of places.

    Computed in float64, whatever the precision around: between neighbouring pixels of 1 km they
    differ in the third digit at most. There is no gradient with respect to the place.

    Args:
        lonlat: Longitude and latitude in degrees.
        degrees: Number L of degrees, from 0 on.

    Shape:
        - lonlat: (B, 2, ...).
        - returns: (B, L * L, ...), float32; of degree l and order m at ``l * l + l + m``, sines
          for negative m and cosines for positive.

    Source:
        Russwurm et al. (arXiv:2310.06743); MarcCoru/locationencoder@afcc3e1,
        pe/spherical_harmonics.py, whose polar angle runs from the south pole and whose azimuth
        starts at the date line, without the Condon-Shortley phase.

    Deviations:
        Upstream evaluates one formula a harmonic, printed by a computer algebra system; the
        recurrences here, in degree for the normalised Legendre functions and in order for sines
        and cosines, are stable and share what harmonics have in common.
    """
    places = lonlat.flatten(2).double()
    size = places.shape[2]
    found = lonlat.new_empty(len(places), degrees**2, size, dtype=torch.float32)
    at_once = PLACES_AT_ONCE if lonlat.device.type == "cpu" else max(size, 1)
    for row, place in zip(found, places, strict=True):
        for start in range(0, size, at_once):
            end = min(start + at_once, size)
            _fill(row[:, start:end], *place[:, start:end].deg2rad())
    return found.view(len(places), -1, *lonlat.shape[2:])


def _fill(found: Tensor, longitude: Tensor, latitude: Tensor) -> None:
    """Write the harmonics at some places, (L * L, N) from two (N,) in radians."""
    degrees = math.isqrt(len(found))
    # Upstream: polar angle latitude + 90 degrees, azimuth longitude + 180 degrees
    along, across = -latitude.sin(), latitude.cos()
    cosines, sines = _orders(longitude + math.pi, degrees)
    older = along.new_empty(0, len(along))
    newer = along.new_full((1, len(along)), math.sqrt(1 / (4 * math.pi)))
    for degree in range(degrees):
        if degree:
            older, newer = newer, _next_degree(degree, older, newer, along, across)
        middle = degree * (degree + 1)
        found[middle : middle + degree + 1] = newer * cosines[: degree + 1]
        found[middle - degree : middle] = (newer[1:] * sines[1 : degree + 1]).flip(0)


def _orders(azimuth: Tensor, degrees: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every multiple of an angle (L, N), by turning on; norm 1 over orders."""
    turn = torch.polar(torch.ones_like(azimuth), azimuth)
    turned = [torch.ones_like(turn)]
    for _ in range(1, degrees):
        turned.append(turned[-1] * turn)
    table = torch.stack(turned)
    table[1:] *= math.sqrt(2)
    return table.real, table.imag


def _next_degree(
    degree: int, older: Tensor, newer: Tensor, along: Tensor, across: Tensor
) -> Tensor:
    """Normalised Legendre functions of all orders of a degree (l + 1, N) from those before."""
    order = torch.arange(degree - 1, dtype=along.dtype, device=along.device)[:, None]
    gain = ((4 * degree**2 - 1) / (degree**2 - order**2)).sqrt()
    damping = (((degree - 1) ** 2 - order**2) / (4 * (degree - 1) ** 2 - 1)).sqrt()
    low = gain * (along * newer[:-1] - damping * older)
    last = newer[-1]
    top = [
        math.sqrt(2 * degree + 1) * along * last,
        math.sqrt((2 * degree + 1) / (2 * degree)) * across * last,
    ]
    return torch.cat([low, torch.stack(top)])
