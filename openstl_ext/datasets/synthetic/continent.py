"""Synthetic continent on which cities and fields grow from year to year."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.synthetic.terrain import (
    Map,
    Terrain,
    blurred,
    draw_terrain,
    noise,
    scaled,
    share,
)
from openstl_ext.progress_line import tracked

BURN_IN = 30
"""Years of growth before the first map."""

GROWTH = 1.4
"""Growth rate per year inside a city; fast, because maps cover thirty years only."""

APART = 30
"""Approximate distance between cities, in pixels."""

WEIGHTS = {"BU": 1.0, "AG": 0.55, "TI": 0.5, "EX": 0.6, "FR": 0.3, "HI": 0.25, "NS": 0.4, "PO": 0.2}
"""Modification of the land by each pressure of 1."""


@dataclass(frozen=True, kw_only=True)
class Continent:
    """Contents of the rasters; NaN in the sea.

    Args:
        index: The Human Modification index of each year, 0 to 1.
        yearly: Covariates of each year, by name.
        fixed: Static covariates, by name.
        years: Years of the maps.

    Shape:
        - index, each of yearly: (years, rows, columns); each of fixed: (rows, columns).
    """

    index: NDArray[np.float32]
    yearly: dict[str, NDArray[np.float32]]
    fixed: dict[str, NDArray[np.float32]]
    years: tuple[int, ...]


def draw(*, shape: tuple[int, int], years: Sequence[int], seed: int = 0) -> Continent:
    """Draw terrain, cities and roads, and simulate growth.

    The growth of a pixel in a year is proportional to its free space, to the development around it
    and to its suitability, and larger along roads. Its curve in time is S-shaped: neither
    persistence nor a linear trend can predict the bend, but the neighbours of the pixel can.

    Args:
        shape: Rows and columns.
        years: Years of the maps.
        seed: Seed of the continent.
    """
    rng = np.random.default_rng(seed)
    terrain = draw_terrain(rng, shape)
    cities = _found(rng, terrain)
    roads = _roads(terrain, cities)
    pressures = _grown(rng, terrain, cities, roads, years)
    empty = np.ones((len(years), *shape))
    for name, weight in WEIGHTS.items():
        empty *= 1 - weight * pressures[name]
    seen = 1 - empty + rng.normal(0, 0.001, empty.shape)
    gaps = ~terrain.land | _gaps(rng, terrain, years)
    index = np.where(gaps, np.nan, np.clip(seen, 0, 1))
    people = 9000 * pressures["BU"] ** 1.5 + 60 * pressures["AG"]
    wealth = blurred(people * (1 + 0.02 * np.arange(len(years)))[:, None, None], 6)
    yearly = {**pressures, "population": people, "gdp": np.maximum(wealth, 0) * 12}
    # the published rasters have no data where there is no pressure
    yearly = {n: np.where((v > 1e-4) & terrain.land, v, np.nan) for n, v in yearly.items()}
    return Continent(
        index=index.astype(np.float32),
        yearly={name: values.astype(np.float32) for name, values in yearly.items()},
        fixed=_fixed(rng, terrain),
        years=tuple(years),
    )


def _found(rng: np.random.Generator, terrain: Terrain) -> NDArray[np.int64]:
    """Draw the positions of cities (number, 2), on suitable land and apart from each other."""
    shape = terrain.land.shape
    wish = terrain.suitable * np.exp(noise(rng, shape, 12)) * rng.random(shape)
    rows, columns = np.indices(shape)
    cities = []
    while wish.max() > 0.2:
        row, column = divmod(int(wish.argmax()), shape[1])
        cities.append((row, column))
        wish[np.hypot(rows - row, columns - column) < APART * rng.uniform(0.6, 1.2)] = 0
    return np.array(cities, np.int64)[rng.permutation(len(cities))]


def _roads(terrain: Terrain, cities: NDArray[np.int64]) -> Map:
    """Draw straight roads from each city to the two nearest larger ones, as a map of 0 and 1."""
    roads = np.zeros(terrain.land.shape)
    for rank, city in enumerate(cities[1:], start=1):
        away = np.hypot(*(cities[:rank] - city).T)
        for other in cities[np.argsort(away)[:2]]:
            steps = np.linspace(0, 1, 2 * int(np.abs(other - city).max()) + 2)[:, None]
            points = np.rint(city + steps * (other - city)).astype(int)
            # a road ends at the coast: there are no bridges
            on_land = np.cumprod(terrain.land[tuple(points.T)]).astype(bool)
            roads[tuple(points[on_land].T)] = 1
    return roads


def _grown(
    rng: np.random.Generator,
    terrain: Terrain,
    cities: NDArray[np.int64],
    roads: Map,
    years: Sequence[int],
) -> dict[str, Map]:
    """Simulate all pressures (years, rows, columns), 0 to 1."""
    shape = terrain.land.shape
    built, fields = np.zeros(shape), np.zeros(shape)
    size = 1 / np.sqrt(1 + np.arange(len(cities)))
    built[tuple(cities.T)] = np.minimum(0.2 + 2.0 * size, 0.9)
    built = share(built, 1.2, gain=2.5) * 0.9 * terrain.land
    near_road = share(roads, 1.5, gain=3)
    fertile = scaled(terrain.rain, 450, 1100) * scaled(terrain.temperature, 4, 14)
    fields += 0.02 * near_road * fertile * terrain.suitable
    humid = scaled(terrain.rain, 900, 1500) * terrain.land
    wood = scaled(noise(rng, shape, 5), 0.6, 1.6) * humid * terrain.suitable
    mines = np.where(terrain.land, rng.random(shape) > 0.9994, 0.0)
    opened = rng.integers(years[0] - 20, years[-1] + 5, shape)
    lakes = scaled(noise(rng, shape, 3), 2.4, 2.8) * terrain.land
    kept: dict[str, list[Map]] = {name: [] for name in WEIGHTS}
    for year in tracked(range(years[0] - BURN_IN, years[-1] + 1), "growing", "years"):
        pull = share(built, 2.0)
        ground = terrain.suitable * (0.35 + 0.65 * near_road)
        room = np.maximum(0.92 * terrain.suitable - built, 0)
        built = built + room * (1 - np.exp(-GROWTH * ground * pull**1.5))
        spread = np.clip(blurred(fields, 1.6) + 0.3 * pull, 0, 1)
        room = np.maximum(0.9 * fertile * terrain.suitable - fields, 0)
        fields = fields + 0.12 * spread * room
        if year not in years:
            continue
        access = share(built + 0.5 * roads * terrain.land, 3)
        kept["BU"].append(built)
        kept["AG"].append(fields * (1 - built))
        kept["TI"].append(np.clip(roads * (0.4 + 0.6 * access), 0, 1) * terrain.land)
        kept["EX"].append(share(mines * (opened <= year), 1.0, gain=6))
        kept["FR"].append(wood * np.clip(0.2 + 2 * access, 0, 1))
        kept["HI"].append(access * terrain.land)
        kept["NS"].append(lakes)
        kept["PO"].append(share(built, 6) * terrain.land)
    return {name: np.array(maps) for name, maps in kept.items()}


def _gaps(rng: np.random.Generator, terrain: Terrain, years: Sequence[int]) -> NDArray[np.bool_]:
    """Draw gaps of the index on land: parts of the coast in all years, patches in some."""
    shape = terrain.land.shape
    coast = terrain.land & (blurred(terrain.land.astype(float), 1.5) < 0.85)
    always = coast & (noise(rng, shape, 10) > 0.8)
    patches = [noise(rng, shape, 6) > 2.9 for _ in years]
    return np.array([always | patch for patch in patches])


def _fixed(rng: np.random.Generator, terrain: Terrain) -> dict[str, NDArray[np.float32]]:
    """Compute static covariates, with gaps as in the published ones."""
    land, shape = terrain.land, terrain.land.shape
    cloudy = noise(rng, shape, 5) > 2.9
    inland = blurred(land.astype(float), 12) * 10
    maps = {
        "ele": np.where(terrain.elevation > 0, terrain.elevation, np.nan),
        "tas": np.where(cloudy, np.nan, terrain.temperature),
        "tasmin": np.where(cloudy, np.nan, terrain.temperature - 6 - 0.8 * inland),
        "pr": np.where(cloudy, np.nan, terrain.rain),
        "dpi_dsi": scaled(terrain.suitable + 0.2 * noise(rng, shape, 4), 0, 1.2) * 10,
        "iucn_nostrict": np.where(terrain.park - terrain.strict > 0, 1.0, np.nan),
        "iucn_strict": np.where(terrain.strict > 0, 1.0, np.nan),
    }
    return {name: np.where(land, v, np.nan).astype(np.float32) for name, v in maps.items()}
