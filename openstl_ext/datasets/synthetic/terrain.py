"""Land for a synthetic continent: its coast, mountains, climate and parks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float64]


def blurred(field: Map, width: float) -> Map:
    """Smooth maps with a periodic Gaussian of ``width`` pixels."""
    height, columns = field.shape[-2:]
    rate = np.fft.fftfreq(height)[:, None] ** 2 + np.fft.rfftfreq(columns) ** 2
    spectrum = np.fft.rfft2(field) * np.exp(-2 * (np.pi * width) ** 2 * rate)
    return np.asarray(np.fft.irfft2(spectrum, (height, columns)))


def share(field: Map, width: float, *, gain: float = 1.0) -> Map:
    """Smooth a map, multiply it by ``gain`` and clip it to [0, 1]."""
    return np.clip(gain * blurred(field, width), 0, 1)


def noise(rng: np.random.Generator, shape: tuple[int, int], width: float) -> Map:
    """Draw noise smoothed over ``width`` pixels, of mean 0 and standard deviation 1."""
    field = blurred(rng.normal(size=shape), width)
    return np.asarray((field - field.mean()) / field.std())


def scaled(field: Map, low: float, high: float) -> Map:
    """Scale linearly from 0 at ``low`` to 1 at ``high``, clipped."""
    return np.clip((field - low) / (high - low), 0, 1)


@dataclass(frozen=True, kw_only=True)
class Terrain:
    """Land, climate and protected areas.

    Args:
        land: True on land.
        elevation: Metres above the sea.
        temperature: Annual mean, degrees Celsius.
        rain: Millimetres per year.
        park: 1 within protected areas.
        strict: 1 within strictly protected areas, without buildings.
        suitable: Suitability for building, 0 to 1: low on steep slopes and in parks.
    """

    land: NDArray[np.bool_]
    elevation: Map
    temperature: Map
    rain: Map
    park: Map
    strict: Map
    suitable: Map


def draw_terrain(rng: np.random.Generator, shape: tuple[int, int]) -> Terrain:
    """Draw the terrain of a continent.

    Args:
        rng: Generator of all random numbers.
        shape: Rows and columns.
    """
    rows, columns = (np.linspace(-1, 1, n) for n in shape)
    away = np.abs(rows[:, None]) ** 4 + np.abs(columns) ** 4
    size = min(shape)
    height = 1 - away + 0.22 * noise(rng, shape, size / 14) + 0.06 * noise(rng, shape, 4)
    land = height > 0.28
    ridges = scaled(noise(rng, shape, size / 16), 0.2, 2.2)
    rough = noise(rng, shape, 2.5)
    elevation = land * (20 + 300 * scaled(height, 0.28, 1.4) + ridges * (2200 + 260 * rough))
    elevation = np.maximum(elevation, 0)
    slope = np.hypot(*np.gradient(elevation))
    rain = 900 + 260 * noise(rng, shape, size / 10) + 250 * ridges
    park = (noise(rng, shape, size / 40) > 1.45).astype(float)
    strict = park * (noise(rng, shape, size / 40) > 0.4)
    flat = np.exp(-((slope / 90) ** 2))
    return Terrain(
        land=land,
        elevation=elevation,
        temperature=26 + 6 * rows[:, None] - 0.0065 * elevation + 0.5 * noise(rng, shape, 20),
        rain=np.maximum(rain, 50),
        park=park,
        strict=strict,
        suitable=land * flat * (1 - 0.6 * park) * (1 - strict),
    )
