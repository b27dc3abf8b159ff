"""Bare objects of a synthetic landscape over time: sites, fields, rocks and tracks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
Growth = Callable[[np.random.Generator, int], Field]
"""Draw the size of an object in each year, in pixels."""

DENSITY = {"site": 1 / 2200, "field": 1 / 1900, "rock": 1 / 4000, "track": 1 / 2200}
"""Objects of each kind per pixel."""

REACH = 8
"""Pixels around its centre that belong to one object."""


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


def cover(rng: np.random.Generator, scale: Scale) -> tuple[Field, NDArray[np.bool_]]:
    """Draw the bare share of pixels in each year (T, H, W), and the sites of the last (H, W)."""
    bare = np.zeros((scale.num_years, scale.size, scale.size))
    sites = np.zeros((scale.size, scale.size), bool)
    taken = np.zeros((scale.size, scale.size), bool)
    for kind, density in DENSITY.items():
        for _ in range(round(density * scale.size**2)):
            place = _free_place(rng, taken)
            if place is None:
                continue
            shape = _line(rng) if kind == "track" else _blob(rng)
            size = _GROWTH[kind](rng, scale.num_years)
            around = tuple(slice(middle - REACH, middle + REACH + 1) for middle in place)
            taken[around] = True
            # an object covers pixels whose distance is below its size; its edge is one pixel wide
            soft = np.clip((size[:, None, None] - shape) + 0.5, 0, 1) * (size > 0)[:, None, None]
            own = (slice(None), *around)
            bare[own] = np.maximum(bare[own], soft)
            if kind == "site":
                sites[around] |= soft[-1] >= 0.5
    return bare, sites


def _free_place(rng: np.random.Generator, taken: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Draw a centre with free surroundings; None after twenty failed draws."""
    for _ in range(20):
        row, column = rng.integers(REACH, len(taken) - REACH, 2).tolist()
        if not taken[row - REACH : row + REACH + 1, column - REACH : column + REACH + 1].any():
            return row, column
    return None


def _offsets() -> tuple[Field, Field]:
    steps = np.arange(-REACH, REACH + 1, dtype=np.float64)
    return steps[:, None], steps[None, :]


def _blob(rng: np.random.Generator) -> Field:
    """Return an irregular distance from the centre, in pixels."""
    row, column = _offsets()
    angle = np.arctan2(row, column)
    phases = rng.uniform(0, 2 * np.pi, 2)
    waves = 1 + 0.18 * np.cos(2 * angle + phases[0]) + 0.1 * np.cos(3 * angle + phases[1])
    return np.hypot(row, column) / waves


def _line(rng: np.random.Generator) -> Field:
    """Return a distance from a line through the centre, scaled so that it is thin at any size."""
    row, column = _offsets()
    angle = rng.uniform(0, np.pi)
    away = np.abs(row * np.cos(angle) - column * np.sin(angle))
    return away * 4.0


def _size(rng: np.random.Generator) -> float:
    return float(rng.uniform(2.5, 5.5))


def _grows(rng: np.random.Generator, num_years: int) -> Field:
    """Appear in some year, grow for three years, and stay."""
    born = rng.integers(1, max(2, round(0.7 * num_years)))
    return _size(rng) * np.clip((np.arange(num_years) - born + 1) / 3, 0, 1)


def _comes_and_goes(rng: np.random.Generator, num_years: int) -> Field:
    """Alternate between bare and not bare every one to three years."""
    is_bare, state, lasts = np.zeros(num_years), bool(rng.integers(2)), 0
    for year in range(num_years):
        if not lasts:
            state, lasts = not state, int(rng.integers(1, 4))
        is_bare[year], lasts = state, lasts - 1
    return _size(rng) * is_bare


def _stays(rng: np.random.Generator, num_years: int) -> Field:
    return np.full(num_years, _size(rng))


_GROWTH: dict[str, Growth] = {
    "site": _grows,
    "field": _comes_and_goes,
    "rock": _stays,
    "track": _grows,
}
