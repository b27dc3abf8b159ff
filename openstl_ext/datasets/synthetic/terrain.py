"""Land for a synthetic continent: its coast, mountains, climate and parks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float64]


def blurred(field: Map, width: float) -> Map:
    """Maps smoothed by a Gaussian of so many pixels; their edges meet those of the other side."""
    height, columns = field.shape[-2:]
    rate = np.fft.fftfreq(height)[:, None] ** 2 + np.fft.rfftfreq(columns) ** 2
    spectrum = np.fft.rfft2(field) * np.exp(-2 * (np.pi * width) ** 2 * rate)
    return np.asarray(np.fft.irfft2(spectrum, (height, columns)))


def share(field: Map, width: float, *, gain: float = 1.0) -> Map:
    """The same for what lies between 0 and 1, and stays there."""
    return np.clip(gain * blurred(field, width), 0, 1)


def noise(chance: np.random.Generator, shape: tuple[int, int], width: float) -> Map:
    """Noise that varies over so many pixels, of mean 0 and spread 1."""
    field = blurred(chance.normal(size=shape), width)
    return np.asarray((field - field.mean()) / field.std())


def scaled(field: Map, low: float, high: float) -> Map:
    """A linear ramp from 0 at ``low`` to 1 at ``high``, cut off at both."""
    return np.clip((field - low) / (high - low), 0, 1)


@dataclass(frozen=True, kw_only=True)
class Terrain:
    """What people find.

    Args:
        land: True where there is no sea.
        elevation: Metres above the sea.
        temperature: Mean of the year, degrees Celsius.
        rain: Millimetres a year.
        park: 1 within protected areas.
        strict: 1 within those where nothing may be built.
        suitable: How well one can build, 0 to 1: steep slopes and parks are bad.
    """

    land: NDArray[np.bool_]
    elevation: Map
    temperature: Map
    rain: Map
    park: Map
    strict: Map
    suitable: Map


def draw_terrain(chance: np.random.Generator, shape: tuple[int, int]) -> Terrain:
    """Raise a continent out of the sea.

    Args:
        chance: Decides all.
        shape: Rows and columns.
    """
    rows, columns = (np.linspace(-1, 1, n) for n in shape)
    away = np.abs(rows[:, None]) ** 4 + np.abs(columns) ** 4
    size = min(shape)
    height = 1 - away + 0.22 * noise(chance, shape, size / 14) + 0.06 * noise(chance, shape, 4)
    land = height > 0.28
    ridges = scaled(noise(chance, shape, size / 16), 0.2, 2.2)
    rough = noise(chance, shape, 2.5)
    elevation = land * (20 + 300 * scaled(height, 0.28, 1.4) + ridges * (2200 + 260 * rough))
    elevation = np.maximum(elevation, 0)
    slope = np.hypot(*np.gradient(elevation))
    rain = 900 + 260 * noise(chance, shape, size / 10) + 250 * ridges
    park = (noise(chance, shape, size / 40) > 1.45).astype(float)
    strict = park * (noise(chance, shape, size / 40) > 0.4)
    flat = np.exp(-((slope / 90) ** 2))
    return Terrain(
        land=land,
        elevation=elevation,
        temperature=26 + 6 * rows[:, None] - 0.0065 * elevation + 0.5 * noise(chance, shape, 20),
        rain=np.maximum(rain, 50),
        park=park,
        strict=strict,
        suitable=land * flat * (1 - 0.6 * park) * (1 - strict),
    )
