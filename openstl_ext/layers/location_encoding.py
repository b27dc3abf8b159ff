"""Features of a location on Earth: spherical harmonics and a SIREN."""

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

LOCATIONS_AT_ONCE = 16384
"""Locations that a CPU computes at once, so that the float64 tables stay in its cache."""


@torch.no_grad()
def spherical_harmonics(lonlat: Tensor, degrees: int) -> Tensor:
    """Compute all spherical harmonics below a degree at any number of locations.

    Always computed in float64: neighbouring pixels at 1 km differ in the third digit at most.
    There is no gradient with respect to the location.

    Args:
        lonlat: Longitude and latitude in degrees.
        degrees: Number L of degrees, starting at 0.

    Shape:
        - lonlat: (B, 2, ...).
        - returns: (B, L * L, ...), float32; degree l and order m are at ``l * l + l + m``, sines
          for negative m and cosines for positive.

    Source:
        Russwurm et al. (arXiv:2310.06743); MarcCoru/locationencoder@afcc3e1,
        pe/spherical_harmonics.py, whose polar angle runs from the south pole and whose azimuth
        starts at the date line, without the Condon-Shortley phase.

    Deviations:
        Upstream evaluates one formula per harmonic, printed by a computer algebra system. The
        recurrences here, in degree for the normalised Legendre functions and in order for sines
        and cosines, are stable and compute common terms once.
    """
    locations = lonlat.flatten(2).double()
    size = locations.shape[2]
    harmonics = lonlat.new_empty(len(locations), degrees**2, size, dtype=torch.float32)
    at_once = LOCATIONS_AT_ONCE if lonlat.device.type == "cpu" else max(size, 1)
    for row, location in zip(harmonics, locations, strict=True):
        for start in range(0, size, at_once):
            end = min(start + at_once, size)
            _fill(row[:, start:end], *location[:, start:end].deg2rad())
    return harmonics.view(len(locations), -1, *lonlat.shape[2:])


def _fill(harmonics: Tensor, longitude: Tensor, latitude: Tensor) -> None:
    """Write the harmonics of N locations in place, (L * L, N) from two (N,) in radians."""
    degrees = math.isqrt(len(harmonics))
    # Upstream: polar angle latitude + 90 degrees, azimuth longitude + 180 degrees
    along, across = -latitude.sin(), latitude.cos()
    cosines, sines = _waves(longitude + math.pi, degrees)
    older = along.new_empty(0, len(along))
    newer = along.new_full((1, len(along)), math.sqrt(1 / (4 * math.pi)))
    for degree in range(degrees):
        if degree:
            older, newer = newer, _next_degree(degree, older, newer, along, across)
        middle, values = degree * (degree + 1), newer.float()
        torch.mul(values, cosines[: degree + 1], out=harmonics[middle : middle + degree + 1])
        highest_first = sines[degrees - 1 - degree : degrees - 1]
        torch.mul(values[1:].flip(0), highest_first, out=harmonics[middle - degree : middle])


def _waves(azimuth: Tensor, degrees: int) -> tuple[Tensor, Tensor]:
    """Compute cosines of 0, 1, ... times an angle and sines of L - 1, ..., 0 times it, both (L, N).

    Each order is the previous one, rotated by the angle.
    """
    cosine, sine = azimuth.cos(), azimuth.sin()
    cosines, sines = [torch.ones_like(azimuth)], [torch.zeros_like(azimuth)]
    for _ in range(1, degrees):
        x, y = cosines[-1], sines[-1]
        cosines.append(x * cosine - y * sine)
        sines.append(x * sine + y * cosine)
    both = torch.stack([*cosines, *sines[::-1]]).float() * math.sqrt(2)
    both[0] = 1  # order 0 has no sine, so its norm has no factor of sqrt(2)
    return both[:degrees], both[degrees:]


def _next_degree(
    degree: int, older: Tensor, newer: Tensor, along: Tensor, across: Tensor
) -> Tensor:
    """Compute normalised Legendre functions of a degree (l + 1, N) from the two degrees before."""
    order = torch.arange(degree - 1, dtype=along.dtype, device=along.device)[:, None]
    gain = ((4 * degree**2 - 1) / (degree**2 - order**2)).sqrt()
    loss = (((degree - 1) ** 2 - order**2) / (4 * (degree - 1) ** 2 - 1)).sqrt() * gain
    values = newer.new_empty(degree + 1, len(along))
    torch.mul(newer[:-1] * along, gain, out=values[:-2]).addcmul_(older, loss, value=-1)
    torch.mul(newer[-1] * along, math.sqrt(2 * degree + 1), out=values[-2])
    torch.mul(newer[-1] * across, math.sqrt(1 + 1 / (2 * degree)), out=values[-1])
    return values


FIRST_FREQUENCY = 30.0


class Siren(nn.Module):
    """Small MLP over positions with sine activations, which can represent sharp edges.

    The argument of the first sine is multiplied by 30, the others are not scaled. The weights are
    drawn so that the arguments of all layers have the same spread.

    Args:
        in_channels: Width of the input.
        hidden_channels: Width of the hidden layers.
        out_channels: Width of the output, which has no sine.
        num_hidden: Number of hidden layers.

    Shape:
        - input: (B, C, N); output: (B, C', N), with N positions.

    Source:
        Sitzmann et al. (arXiv:2006.09661); MarcCoru/locationencoder@afcc3e1, nn/siren.py.
    """

    def __init__(
        self, in_channels: int, hidden_channels: int, out_channels: int, *, num_hidden: int = 2
    ) -> None:
        super().__init__()
        widths = [in_channels, *[hidden_channels] * num_hidden, out_channels]
        layers = [nn.Linear(*pair) for pair in pairwise(widths)]
        for index, layer in enumerate(layers):
            width = layer.in_features
            bound = 1 / width if index == 0 else math.sqrt(6 / width)
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        *hidden, last = self.layers
        for index, layer in enumerate(hidden):
            # scale the weights, not the positions: there are fewer of them
            x = _mixed(x, layer, FIRST_FREQUENCY if index == 0 else 1.0).sin()
        return _mixed(x, last, 1.0)


def _mixed(x: Tensor, layer: Any, frequency: float) -> Tensor:
    """Apply a linear layer over axis 1, times a factor."""
    weight, bias = layer.weight * frequency, layer.bias[:, None] * frequency
    return torch.baddbmm(bias, weight.expand(len(x), -1, -1), x)


class LocationEncoding(nn.Module):
    """Learnt features of a pixel's location, continuous at the date line and the poles.

    Computed in float32 under autocast too: in bf16 all pixels of a chip would have the same
    location. A pixel with a location that is not finite, as in the corners of a world map, has
    zero features.

    Args:
        out_channels: Number of features.
        degrees: Number L of degrees of the harmonics; 10 resolve about 2,000 km.
        hidden_channels: Width of the net after the harmonics.

    Shape:
        - lonlat: (B, 2, H, W), degrees; returns: (B, C, H, W), float32.

    Source:
        Russwurm et al. (arXiv:2310.06743); GMoncrieff/spatio-temporal@d765a15,
        src/locationencoder.
    """

    def __init__(self, out_channels: int, *, degrees: int = 10, hidden_channels: int = 64) -> None:
        super().__init__()
        self.degrees = degrees
        self.net = Siren(degrees**2, hidden_channels, out_channels)

    def forward(self, lonlat: Tensor) -> Tensor:
        known = lonlat.isfinite().all(dim=1, keepdim=True)
        locations = torch.where(known, lonlat, 0)  # before the net: the gradient of NaN is NaN
        with torch.autocast(lonlat.device.type, enabled=False):
            features = self.net(spherical_harmonics(locations, self.degrees).flatten(2))
        return torch.where(known, features.unflatten(2, lonlat.shape[2:]), 0)
