"""Features of a location on Earth: spherical harmonics and a SIREN."""

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

PLACES_AT_ONCE = 16384
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
    cosines, sines = _waves(longitude + math.pi, degrees)
    older = along.new_empty(0, len(along))
    newer = along.new_full((1, len(along)), math.sqrt(1 / (4 * math.pi)))
    for degree in range(degrees):
        if degree:
            older, newer = newer, _next_degree(degree, older, newer, along, across)
        middle, values = degree * (degree + 1), newer.float()
        torch.mul(values, cosines[: degree + 1], out=found[middle : middle + degree + 1])
        highest_first = sines[degrees - 1 - degree : degrees - 1]
        torch.mul(values[1:].flip(0), highest_first, out=found[middle - degree : middle])


def _waves(azimuth: Tensor, degrees: int) -> tuple[Tensor, Tensor]:
    """Cosines of 0, 1, ... times an angle and sines of L - 1, ..., 0 times it, both (L, N).

    Those of the next order are those of the last, turned on by one angle.
    """
    cosine, sine = azimuth.cos(), azimuth.sin()
    cosines, sines = [torch.ones_like(azimuth)], [torch.zeros_like(azimuth)]
    for _ in range(1, degrees):
        x, y = cosines[-1], sines[-1]
        cosines.append(x * cosine - y * sine)
        sines.append(x * sine + y * cosine)
    both = torch.stack([*cosines, *sines[::-1]]).float() * math.sqrt(2)
    both[0] = 1  # order 0 has no sine to share its norm with
    return both[:degrees], both[degrees:]


def _next_degree(
    degree: int, older: Tensor, newer: Tensor, along: Tensor, across: Tensor
) -> Tensor:
    """Normalised Legendre functions of all orders of a degree (l + 1, N) from those before."""
    order = torch.arange(degree - 1, dtype=along.dtype, device=along.device)[:, None]
    gain = ((4 * degree**2 - 1) / (degree**2 - order**2)).sqrt()
    loss = (((degree - 1) ** 2 - order**2) / (4 * (degree - 1) ** 2 - 1)).sqrt() * gain
    found = newer.new_empty(degree + 1, len(along))
    torch.mul(newer[:-1] * along, gain, out=found[:-2]).addcmul_(older, loss, value=-1)
    torch.mul(newer[-1] * along, math.sqrt(2 * degree + 1), out=found[-2])
    torch.mul(newer[-1] * across, math.sqrt(1 + 1 / (2 * degree)), out=found[-1])
    return found


FIRST_FREQUENCY = 30.0


class Siren(nn.Module):
    """A small net of positions, whose sines let it follow sharp borders.

    The first sine is of 30 times its argument, the others of their argument as it is, and weights
    are drawn so that each layer's arguments keep their spread.

    Args:
        in_channels: Width of the input.
        hidden_channels: Width of the layers between.
        out_channels: Width of the answer, which no sine follows.
        num_hidden: Number of layers between.

    Shape:
        - input: (B, C, N); output: (B, C', N), N being positions.

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
            # times the weights, which are few, and not times the positions, which are many
            x = _mixed(x, layer, FIRST_FREQUENCY if index == 0 else 1.0).sin()
        return _mixed(x, last, 1.0)


def _mixed(x: Tensor, layer: Any, frequency: float) -> Tensor:
    """A linear layer over axis 1, times a number."""
    weight, bias = layer.weight * frequency, layer.bias[:, None] * frequency
    return torch.baddbmm(bias, weight.expand(len(x), -1, -1), x)


class LocationEncoding(nn.Module):
    """Say what is special about where a pixel lies, without a seam at the date line or the poles.

    It runs in float32 under autocast too: in bf16 all pixels of a chip lie at one place. A pixel
    whose place is not finite, as in the corners of a world map, has zeros for features.

    Args:
        out_channels: Number of features.
        degrees: Number L of degrees of the harmonics; 10 tell apart what is 2,000 km away.
        hidden_channels: Width of the net on top of them.

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
        places = torch.where(known, lonlat, 0)  # before, or the gradient of a NaN is a NaN
        with torch.autocast(lonlat.device.type, enabled=False):
            features = self.net(spherical_harmonics(places, self.degrees).flatten(2))
        return torch.where(known, features.unflatten(2, lonlat.shape[2:]), 0)
