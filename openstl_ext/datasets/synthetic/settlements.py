"""What is bare in a synthetic landscape, when, and what of it is a site."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
Growth = Callable[[np.random.Generator, int], Field]
"""Share of its final size that a thing has in each of so many years."""

DENSITY = {"site": 1 / 2200, "field": 1 / 1900, "rock": 1 / 4000, "track": 1 / 2200}
"""Things of each kind, a pixel."""

REACH = 8
"""Pixels around its middle that are a thing's own."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large a landscape is.

    Args:
        size: Rows and columns.
        num_years: Number of images.
    """

    size: int
    num_years: int


def smooth(chance: np.random.Generator, size: int, width: float) -> Field:
    """Noise that varies over so many pixels, of mean 0 and spread 1, without a seam."""
    rate = np.fft.fftfreq(size)[:, None] ** 2 + np.fft.rfftfreq(size) ** 2
    spectrum = np.fft.rfft2(chance.normal(size=(size, size))) * np.exp(
        -2 * (np.pi * width) ** 2 * rate
    )
    field = np.fft.irfft2(spectrum, (size, size))
    return (field - field.mean()) / field.std()


def cover(chance: np.random.Generator, scale: Scale) -> tuple[Field, NDArray[np.bool_]]:
    """Bare share of each pixel in each year (T, H, W), and where sites are in the last (H, W)."""
    bare = np.zeros((scale.num_years, scale.size, scale.size))
    sites = np.zeros((scale.size, scale.size), bool)
    taken = np.zeros((scale.size, scale.size), bool)
    for kind, density in DENSITY.items():
        for _ in range(round(density * scale.size**2)):
            place = _free_place(chance, taken)
            if place is None:
                continue
            shape = _line(chance) if kind == "track" else _blob(chance)
            size = _GROWTH[kind](chance, scale.num_years)
            around = tuple(slice(middle - REACH, middle + REACH + 1) for middle in place)
            taken[around] = True
            # a thing is where its shape is below its size; the edge is one pixel soft
            soft = np.clip((size[:, None, None] - shape) + 0.5, 0, 1) * (size > 0)[:, None, None]
            own = (slice(None), *around)
            bare[own] = np.maximum(bare[own], soft)
            if kind == "site":
                sites[around] |= soft[-1] >= 0.5
    return bare, sites


def _free_place(chance: np.random.Generator, taken: NDArray[np.bool_]) -> tuple[int, int] | None:
    """A middle whose surroundings are free; none if twenty draws find none."""
    for _ in range(20):
        row, column = chance.integers(REACH, len(taken) - REACH, 2).tolist()
        if not taken[row - REACH : row + REACH + 1, column - REACH : column + REACH + 1].any():
            return row, column
    return None


def _offsets() -> tuple[Field, Field]:
    steps = np.arange(-REACH, REACH + 1, dtype=np.float64)
    return steps[:, None], steps[None, :]


def _blob(chance: np.random.Generator) -> Field:
    """Distance from the middle, in pixels, longer in some directions than in others."""
    row, column = _offsets()
    angle = np.arctan2(row, column)
    phases = chance.uniform(0, 2 * np.pi, 2)
    waves = 1 + 0.18 * np.cos(2 * angle + phases[0]) + 0.1 * np.cos(3 * angle + phases[1])
    return np.hypot(row, column) / waves


def _line(chance: np.random.Generator) -> Field:
    """Distance from a line through the middle, such that it is thin whatever its size."""
    row, column = _offsets()
    angle = chance.uniform(0, np.pi)
    away = np.abs(row * np.cos(angle) - column * np.sin(angle))
    return away * 4.0


def _size(chance: np.random.Generator) -> float:
    return float(chance.uniform(2.5, 5.5))


def _grows(chance: np.random.Generator, num_years: int) -> Field:
    """Nothing, then more from year to year, and it stays."""
    born = chance.integers(1, max(2, round(0.7 * num_years)))
    return _size(chance) * np.clip((np.arange(num_years) - born + 1) / 3, 0, 1)


def _comes_and_goes(chance: np.random.Generator, num_years: int) -> Field:
    """Bare for one to three years, then not, then again."""
    lies, state, lasts = np.zeros(num_years), bool(chance.integers(2)), 0
    for year in range(num_years):
        if not lasts:
            state, lasts = not state, int(chance.integers(1, 4))
        lies[year], lasts = state, lasts - 1
    return _size(chance) * lies


def _stays(chance: np.random.Generator, num_years: int) -> Field:
    return np.full(num_years, _size(chance))


_GROWTH: dict[str, Growth] = {
    "site": _grows,
    "field": _comes_and_goes,
    "rock": _stays,
    "track": _grows,
}
