"""Bare objects of a synthetic landscape over time: sites, fields, rocks and tracks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
Growth = Callable[[np.random.Generator, int], Field]
"""Draw the share of its final size that an object has in each year."""

DENSITY = {"track": 1 / 2600, "field": 1 / 1500, "site": 1 / 2200, "rock": 1 / 3600}
"""Objects of each kind per pixel; large ones are placed first."""

REACH = {"track": 17, "field": 11, "site": 9, "rock": 9}
"""Pixels around its centre to which an object of each kind extends at most."""

APART = 1.5
"""Pixels between two objects, so that their edges are seen."""

WIDTH = 1.1
"""Half of the width of a track, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Size of a landscape.

    Args:
        size: Rows and columns.
        num_years: Number of images.
    """

    size: int
    num_years: int


def smooth(rng: np.random.Generator, size: int, width: float) -> Field:
    """Draw periodic noise smoothed over ``width`` pixels, of mean 0 and standard deviation 1."""
    rate = np.fft.fftfreq(size)[:, None] ** 2 + np.fft.rfftfreq(size) ** 2
    spectrum = np.fft.rfft2(rng.normal(size=(size, size))) * np.exp(
        -2 * (np.pi * width) ** 2 * rate
    )
    field = np.fft.irfft2(spectrum, (size, size))
    return (field - field.mean()) / field.std()


@dataclass(frozen=True, kw_only=True)
class Cover:
    """What covers the ground.

    Args:
        bare: Bare share of each pixel in each year, (T, H, W).
        crops: Share of each pixel that is a field, (H, W); it has crops where it is not bare.
        sites: Whether a pixel is a site in the last year, (H, W).
    """

    bare: Field
    crops: Field
    sites: NDArray[np.bool_]


def cover(rng: np.random.Generator, scale: Scale) -> Cover:
    """Draw sites, fields, rocks and tracks over the years."""
    plane = (scale.size, scale.size)
    found = Cover(
        bare=np.zeros((scale.num_years, *plane)),
        crops=np.zeros(plane),
        sites=np.zeros(plane, bool),
    )
    taken = np.zeros(plane, bool)
    for kind, density in DENSITY.items():
        for _ in range(round(density * scale.size**2)):
            size, distance = _SIZES[kind](rng), _SHAPES[kind](rng, REACH[kind])
            grown = _GROWTH[kind](rng, scale.num_years)[:, None, None] * size
            around = _free_place(rng, taken, distance < size + APART)
            if around is None:
                continue
            taken[around] |= distance < size + APART
            # an object covers pixels whose distance is below its size; its edge is one pixel wide
            soft = np.clip(grown - distance + 0.5, 0, 1) * (grown > 0)
            own = (slice(None), *around)
            found.bare[own] = np.maximum(found.bare[own], soft)
            if kind == "field":
                edge = np.clip(size - distance + 0.5, 0, 1)
                found.crops[around] = np.maximum(found.crops[around], edge)
            if kind == "site":
                found.sites[around] |= soft[-1] >= 0.5
    return found


def _free_place(
    rng: np.random.Generator, taken: NDArray[np.bool_], shape: NDArray[np.bool_]
) -> tuple[slice, slice] | None:
    """Draw a place where a shape touches no other object; None after twenty failed draws."""
    for _ in range(20):
        row, column = rng.integers(0, len(taken) - len(shape) + 1, 2).tolist()
        around = slice(row, row + len(shape)), slice(column, column + len(shape))
        if not (taken[around] & shape).any():
            return around
    return None


def _offsets(reach: int) -> tuple[Field, Field]:
    steps = np.arange(-reach, reach + 1, dtype=np.float64)
    return steps[:, None], steps[None, :]


def _blob(rng: np.random.Generator, reach: int) -> Field:
    """Return an irregular distance from the centre, in pixels."""
    row, column = _offsets(reach)
    angle = np.arctan2(row, column)
    phases = rng.uniform(0, 2 * np.pi, 2)
    waves = 1 + 0.18 * np.cos(2 * angle + phases[0]) + 0.1 * np.cos(3 * angle + phases[1])
    return np.hypot(row, column) / waves


def _parcel(rng: np.random.Generator, reach: int) -> Field:
    """Return a distance whose contours are rectangles, at any angle."""
    along, across = _turned(rng, reach)
    return np.maximum(np.abs(along) / rng.uniform(1.0, 1.4), np.abs(across))


def _line(rng: np.random.Generator, reach: int) -> Field:
    """Return the distance from a line that is bent a little, in pixels."""
    along, across = _turned(rng, reach)
    bend = rng.uniform(-0.012, 0.012) * (along**2 - reach**2 / 3)
    return np.where(np.abs(along) < reach, np.abs(across - bend), np.inf)


def _turned(rng: np.random.Generator, reach: int) -> tuple[Field, Field]:
    """Return the offsets from the centre along and across a random direction."""
    row, column = _offsets(reach)
    angle = rng.uniform(0, np.pi)
    along = row * np.sin(angle) + column * np.cos(angle)
    return along, row * np.cos(angle) - column * np.sin(angle)


def _grows(rng: np.random.Generator, num_years: int) -> Field:
    """Appear in some year, grow for three years, and stay."""
    born = rng.integers(1, max(2, round(0.7 * num_years)))
    return np.clip((np.arange(num_years) - born + 1) / 3, 0, 1)


def _appears(rng: np.random.Generator, num_years: int) -> Field:
    """Appear in some year, as wide as later, and stay."""
    return np.ceil(_grows(rng, num_years))


def _comes_and_goes(rng: np.random.Generator, num_years: int) -> Field:
    """Alternate between bare and not bare every one to three years."""
    is_bare, state, lasts = np.zeros(num_years), bool(rng.integers(2)), 0
    for year in range(num_years):
        if not lasts:
            state, lasts = not state, int(rng.integers(1, 4))
        is_bare[year], lasts = state, lasts - 1
    return is_bare


def _stays(rng: np.random.Generator, num_years: int) -> Field:  # noqa: ARG001
    return np.ones(num_years)


_SHAPES: dict[str, Callable[[np.random.Generator, int], Field]] = {
    "site": _blob,
    "field": _parcel,
    "rock": _blob,
    "track": _line,
}
_SIZES: dict[str, Callable[[np.random.Generator], float]] = {
    "site": lambda rng: float(rng.uniform(2.5, 5.5)),
    "field": lambda rng: float(rng.uniform(3.5, 6.5)),
    "rock": lambda rng: float(rng.uniform(2.5, 5.5)),
    "track": lambda rng: WIDTH,  # noqa: ARG005
}
_GROWTH: dict[str, Growth] = {
    "site": _grows,
    "field": _comes_and_goes,
    "rock": _stays,
    "track": _appears,
}
