"""Synthetic land cover: spectra of materials, their arrangement, and images of any sensor."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.terrain import noise
from openstl_ext.errors import ConfigError
from openstl_ext.spectrum import Band

KNOTS = (400, 450, 500, 550, 600, 670, 700, 750, 850, 950, 1250, 1400, 1650, 1900, 2200, 2400)
"""Wavelengths of the reflectances below, in nanometres."""
THERMAL_NM = 3000
"""Bands of longer waves measure temperature, unless they have a polarisation."""


@dataclass(frozen=True)
class Material:
    """Surface that fills a pixel.

    Args:
        reflectance: Percent of the light that is reflected, at ``KNOTS``.
        radar: Backscatter in dB of a radar that receives the same, and the other polarisation.
        temperature: Kelvin.
    """

    reflectance: tuple[float, ...]
    radar: tuple[float, float]
    temperature: float


MATERIALS = {
    "water": Material((6, 6, 5, 5, 3, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0), (-18, -28), 288),
    "snow": Material(
        (95, 97, 97, 97, 96, 94, 93, 92, 88, 80, 50, 15, 12, 5, 8, 5), (-15, -23), 270
    ),
    "crown": Material((2, 2, 3, 6, 4, 3, 10, 30, 40, 38, 32, 18, 18, 7, 8, 5), (-7, -13), 293),
    "shade": Material((1, 1, 2, 2, 2, 2, 3, 9, 12, 11, 10, 5, 6, 2, 3, 2), (-11, -18), 289),
    "leaf": Material((3, 4, 5, 10, 6, 4, 15, 45, 52, 50, 45, 25, 26, 10, 12, 8), (-10, -16), 294),
    "soil": Material(
        (6, 8, 10, 13, 17, 20, 22, 24, 28, 30, 36, 33, 40, 32, 36, 33), (-13, -22), 303
    ),
    "roof": Material(
        (10, 12, 14, 16, 25, 30, 31, 32, 33, 34, 36, 36, 38, 36, 36, 35), (-2, -11), 312
    ),
    "asphalt": Material(
        (7, 8, 9, 10, 11, 12, 12, 13, 13, 14, 15, 15, 16, 16, 16, 16), (-14, -23), 309
    ),
    "bright_sand": Material(
        (18, 22, 28, 35, 42, 47, 48, 50, 54, 56, 62, 58, 65, 58, 63, 60), (-18, -27), 318
    ),
    "dark_sand": Material(
        (10, 12, 15, 19, 23, 26, 27, 28, 30, 31, 34, 32, 36, 32, 35, 33), (-14, -24), 310
    ),
}

Pattern = Literal["even", "patches", "rows", "grid"]


@dataclass(frozen=True)
class Cover:
    """Class of land cover: two materials of about equal area, and where each of them is.

    Args:
        first: Material inside the pattern.
        second: Material elsewhere.
        pattern: ``patches`` are irregular, ``rows`` parallel, a ``grid`` has blocks.
        scale: Approximate distance between two parts of the pattern, in metres.
    """

    first: str
    second: str
    pattern: Pattern = "even"
    scale: float = 0.0


CLASSES = {
    "cropland": Cover("leaf", "soil", "rows", 65),
    "desert": Cover("bright_sand", "dark_sand", "patches", 100),
    "dunes": Cover("bright_sand", "dark_sand", "rows", 105),
    "forest": Cover("crown", "shade", "patches", 60),
    "grassland": Cover("leaf", "soil", "patches", 65),
    "industry": Cover("roof", "asphalt", "grid", 160),
    "orchard": Cover("crown", "shade", "grid", 60),
    "snow": Cover("snow", "snow"),
    "town": Cover("roof", "asphalt", "grid", 60),
    "water": Cover("water", "water"),
}
"""Sorted by name. Classes of the same materials have the same mean in every band of any sensor, and
differ only in their arrangement in space."""
NAMES = tuple(MATERIALS)
NOISE = 0.5, 0.3
"""Standard deviation of the noise of a pixel, for radar (speckle) and for other bands, in units of
the standardised response. With much less, random projections of a patch show its arrangement, and a
probe of a net with random weights is as good as one of a trained net."""
ILLUMINATION = 0.8
"""Standard deviation of the brightness that all bands of an image share, radar apart: the sun and
the atmosphere of its date. Without it, mean band values identify the material by themselves."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Land cover of a square, before a sensor sees it.

    Args:
        labels: Index of the class of each cell, int64 (N, N).
        cover: 1 where a material is, float32 (materials, N, N).
        state: Brightness and roughness of each material in this scene, in standard deviations
            (2, materials).
        cell: Side of a cell, in metres.
    """

    labels: NDArray[np.int64]
    cover: NDArray[np.float32]
    state: NDArray[np.float64]
    cell: float


def draw_scene(rng: np.random.Generator, main: str, *, side: float, cell: float) -> Scene:
    """Draw a scene of which a class covers 65 to 95 percent, and one or two others the rest.

    Args:
        rng: Generator of all random numbers.
        main: Name of the class.
        side: Side of the scene, in metres.
        cell: Side of a cell, in metres.
    """
    shape = (round(side / cell), round(side / cell))
    names = list(CLASSES)
    others = rng.permutation([name for name in names if name != main])[: rng.integers(1, 3)]
    region = noise(rng, shape, 70 / cell)
    edges = np.quantile(region, np.linspace(rng.uniform(0.65, 0.95), 1, 1 + len(others)))
    position = np.searchsorted(edges[:-1], region)
    labels = np.zeros(shape, np.int64)
    cover = np.zeros((len(NAMES), *shape), np.float32)
    for place, name in enumerate((main, *others)):
        chosen, kind = position == place, CLASSES[str(name)]
        labels[chosen] = names.index(str(name))
        first = _pattern(rng, kind, shape, cell)
        cover[NAMES.index(kind.first)] += chosen & first
        cover[NAMES.index(kind.second)] += chosen & ~first
    return Scene(labels=labels, cover=cover, state=rng.normal(size=(2, len(NAMES))), cell=cell)


def _pattern(
    rng: np.random.Generator, kind: Cover, shape: tuple[int, int], cell: float
) -> NDArray[np.bool_]:
    """Draw where the first material of a class is: on 40 to 60 percent, whatever the pattern."""
    share = rng.uniform(0.4, 0.6)
    if kind.pattern == "even":
        return np.ones(shape, bool)
    scale = kind.scale * rng.uniform(0.85, 1.15) / cell
    if kind.pattern == "patches":
        field = noise(rng, shape, 0.22 * scale)
        return field < np.quantile(field, share)
    rows, columns = np.indices(shape) / scale
    angle, *phases = rng.uniform(0, 1, 3)
    angle *= np.pi
    along = np.cos(angle) * rows + np.sin(angle) * columns + phases[0]
    if kind.pattern == "rows":
        return along % 1 < share
    across = np.cos(angle) * columns - np.sin(angle) * rows + phases[1]
    return (along % 1 < np.sqrt(share)) & (across % 1 < np.sqrt(share))


@lru_cache(maxsize=256)
def response(band: Band) -> NDArray[np.float64]:
    """Compute what a band measures of each material: its spectrum averaged over the range.

    Returns:
        A reflectance in percent, a backscatter in dB or a temperature in Kelvin, per material.
    """
    materials = MATERIALS.values()
    if band.polarisation is not None:
        crossed = len(set(band.polarisation)) > 1
        return np.array([material.radar[crossed] for material in materials])
    if band.min_nm > THERMAL_NM:
        return np.array([material.temperature for material in materials])
    waves = np.linspace(band.min_nm, band.max_nm, 64)
    return np.array([np.interp(waves, KNOTS, m.reflectance).mean() for m in materials])


def standardised(sensor: Sensor) -> NDArray[np.float64]:
    """Return the response of each band of the files to each material, in standard deviations.

    Mean and standard deviation are those over all classes with equal areas.

    Shape:
        - returns: (bands, materials).
    """
    values = np.stack([response(sensor.spectrum.bands[b.band]) for b in sensor.all_bands])
    area = np.zeros(len(NAMES))
    for kind in CLASSES.values():
        for material in (kind.first, kind.second):
            area[NAMES.index(material)] += 0.5 / len(CLASSES)
    centred = values - (values @ area)[:, None]
    return np.asarray(centred / np.sqrt(centred**2 @ area)[:, None])


def observed(
    scene: Scene, sensor: Sensor, pixel_size: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Compute the image of a scene, in the units of the table of the sensor.

    A value is such that ``Sensor.normalise`` gives the standardised response, with noise
    and the illumination of its date.

    Args:
        scene: The scene.
        sensor: The sensor.
        pixel_size: Side of a pixel in metres, a multiple of the cells of the scene.
        rng: Generator of the noise.

    Shape:
        - returns: (bands of the files, N, N).

    Raises:
        ConfigError: If cells do not fill the pixels, or pixels the scene.
    """
    times = round(pixel_size / scene.cell)
    number = scene.cover.shape[1] // times if times else 0
    if not np.isclose(times * scene.cell, pixel_size) or number * times != scene.cover.shape[1]:
        raise ConfigError(
            f"pixels of {pixel_size:g} m do not divide a scene of "
            f"{scene.cover.shape[1] * scene.cell:g} m with cells of {scene.cell:g} m; choose "
            "a multiple of the cell that divides the scene"
        )
    cover = scene.cover.reshape(len(NAMES), number, times, number, times).mean(axis=(2, 4))
    bands = sensor.all_bands
    is_radar = [sensor.spectrum.bands[band.band].polarisation is not None for band in bands]
    signal = standardised(sensor) + 0.2 * scene.state[np.array(is_radar, int)]
    values = np.einsum("cm,mhw->chw", signal, cover)
    values += np.where(is_radar, 0, ILLUMINATION * rng.normal())[:, None, None]
    values += np.where(is_radar, *NOISE)[:, None, None] * rng.normal(size=values.shape)
    low, high, mean, std = (
        np.array([getattr(band, key) for band in bands]).reshape(-1, 1, 1)
        for key in ("low", "high", "mean", "std")
    )
    scaled = np.clip(mean + std * values, 0, 1)
    return np.asarray(low + (high - low) * scaled, np.float32)
