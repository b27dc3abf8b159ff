"""Human Modification index and covariates, read in windows."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.human_modification.files import PREPARE, Key, chosen, find
from openstl_ext.errors import ConfigError, DataError, nearest
from openstl_ext.rasters.layer import RasterLayer
from openstl_ext.rasters.lonlat import lonlat
from openstl_ext.rasters.window import Window
from openstl_ext.structures import Channel

YEARS = (1990, 1995, 2000, 2005, 2010, 2015, 2020)
PRESSURES = ("AG", "BU", "EX", "FR", "HI", "NS", "PO", "TI", "gdp", "population")
STATICS = ("ele", "tas", "tasmin", "pr", "dpi_dsi", "iucn_nostrict", "iucn_strict")
ZERO_WHERE_MISSING = (
    *PRESSURES,
    *("ele", "elevation", "dpi_dsi", "iucn_nostrict", "iucn_strict"),
)
"""Covariates whose gaps mean 0: no pressure, sea level, no protection."""

LIMITS = {"0-1": 1.0, "0-10000": 10_000.0}
SLACK = 1e-4
"""Share of the range by which a value may exceed it, because of rounding."""


@dataclass(frozen=True, kw_only=True)
class HMChoice:
    """Selection of rasters, and their interpretation.

    Args:
        target: Variable to forecast: HM of the first published files, AA of the later ones.
        dynamic: Names of covariates with a raster per year.
        static: Names of covariates that do not change.
        years: Years of the rasters, ascending in equal steps.
        values: Range of the target in the files: ``0-1`` or ``0-10000``.
        zero_where_missing: Covariates whose gaps become 0.
        lonlat: Whether longitude and latitude are inputs.
        files: Pattern of the file names to consider.

    Raises:
        ConfigError: If arguments are inconsistent.
    """

    target: str = "HM"
    dynamic: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    years: tuple[int, ...] = YEARS
    values: str = "0-1"
    zero_where_missing: tuple[str, ...] = ZERO_WHERE_MISSING
    lonlat: bool = False
    files: str = "*"
    step: int = field(init=False)

    def __post_init__(self) -> None:
        for name in ("dynamic", "static", "years", "zero_where_missing"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # configs contain lists
        steps = {later - earlier for earlier, later in pairwise(self.years)}
        if len(steps) != 1 or min(steps) < 1:
            raise ConfigError(
                f"years are {list(self.years)}; give at least two, ascending in equal steps"
            )
        object.__setattr__(self, "step", steps.pop())
        if self.values not in LIMITS:
            raise ConfigError(
                f"values {self.values!r} is not a range; {nearest(self.values, LIMITS)}"
            )
        names = (self.target, *self.dynamic, *self.static)
        if twice := {name for name in names if names.count(name) > 1}:
            raise ConfigError(f"{', '.join(sorted(twice))}: name each variable once")
        known = {*ZERO_WHERE_MISSING, *self.dynamic, *self.static}
        for name in self.zero_where_missing:
            if name not in known:
                raise ConfigError(
                    f"zero_where_missing: {name!r} is not a covariate; {nearest(name, known)}"
                )

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The target with its range as unit."""
        return (Channel(self.target, self.values),)

    @property
    def limit(self) -> float:
        """Largest value of the target."""
        return LIMITS[self.values]


@final
class HMRasters:
    """Windows of all rasters of a folder, on one grid.

    A pixel that lacks a frame or a covariate is missing in all frames, equally in training, tests
    and maps, so that a net is applied under the conditions of its training.

    Args:
        root: Folder of the rasters.
        choice: Selection of the rasters.
        years: Years to read; all of the selection if not given.

    Raises:
        DataError: If a raster is missing, or two have different grids.
    """

    def __init__(self, root: Path, choice: HMChoice, *, years: Sequence[int] | None = None) -> None:
        self.root, self.choice = root, choice
        self.years = tuple(choice.years if years is None else years)
        yearly = (choice.target, *choice.dynamic)
        wanted: list[Key] = [(name, year) for name in yearly for year in self.years]
        wanted += [(name, None) for name in choice.static]
        paths = chosen(root, find(root, choice.files), wanted=wanted)
        self._layers = {key: RasterLayer(path) for key, path in paths.items()}
        first, *others = self._layers.values()
        self.grid = first.grid
        for layer in others:
            self.grid.check_same(layer.grid, path=first.path, other_path=layer.path)
        self._zero = frozenset(choice.zero_where_missing)

    def path(self, name: str, year: int | None) -> Path:
        """Return the file of a variable."""
        return Path(self._layers[name, year].path)

    def frames(self, window: Window, years: Sequence[int]) -> NDArray[np.float32]:
        """Read the target (years, 1, rows, columns); NaN where missing or without a raster.

        Raises:
            DataError: If a value is outside the declared range.
        """
        out = np.full((len(years), 1, window.height, window.width), np.nan, np.float32)
        for frame, year in zip(out, years, strict=True):
            if year in self.years:
                frame[0] = self._target(window, year)
        return out

    def dynamic(self, window: Window, years: Sequence[int]) -> NDArray[np.float32]:
        """Read covariates of some years (years, C, rows, columns); 0 where a gap means 0."""
        names = self.choice.dynamic
        return np.array([[self._covariate(n, y, window) for n in names] for y in years], np.float32)

    def static(self, window: Window) -> NDArray[np.float32]:
        """Read static covariates (C, rows, columns); 0 where a gap means 0."""
        names = self.choice.static
        return np.array([self._covariate(name, None, window) for name in names], np.float32)

    def inputs(self, window: Window, years: Sequence[int]) -> dict[str, NDArray]:
        """Read the inputs of a window in some years; beyond the edge they are not valid.

        Returns:
            ``frames`` and ``valid`` (years, 1, rows, columns), and if selected ``dynamic``
            (years, C, rows, columns), ``static`` (C, rows, columns), ``lonlat`` (2, rows, columns).
        """
        choice, frames = self.choice, self.frames(window, years)
        fields = {}
        if choice.dynamic:
            fields["dynamic"] = self.dynamic(window, years)
        if choice.static:
            fields["static"] = self.static(window)
        if choice.lonlat:
            fields["lonlat"] = lonlat(self.grid, window)
        known = np.isfinite(frames).all(axis=(0, 1))
        for values in fields.values():
            known &= np.isfinite(values).all(axis=tuple(range(values.ndim - 2)))
        if choice.lonlat:  # nets need finite coordinates, also outside the projection
            fields["lonlat"] = np.nan_to_num(fields["lonlat"])
        frames = np.where(known, frames, np.nan)
        return {"frames": frames, "valid": np.isfinite(frames), **fields}

    def availability(self, window: Window) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return where each year has a target, and where it has all inputs.

        Covariates whose gaps become 0 are not read, so this is faster than reading the inputs.

        Shape:
            - returns: twice (years, rows, columns).
        """
        has_target = np.isfinite(self.frames(window, self.years))[:, 0]
        has_inputs = has_target.copy()
        for name, year in self._layers:
            if name != self.choice.target and name not in self._zero:
                known = np.isfinite(self._layers[name, year].read(window))
                has_inputs[slice(None) if year is None else self.years.index(year)] &= known
        if self.choice.lonlat:
            has_inputs &= np.isfinite(lonlat(self.grid, window)).all(axis=0)
        return has_target, has_inputs

    def emptiest(self, window: Window, years: Sequence[int]) -> tuple[Path, float]:
        """Return the raster with the fewest known pixels in a window, and their share."""
        shares = {
            self.path(name, year): float(np.isfinite(layer.read(window)).mean())
            for (name, year), layer in self._layers.items()
            if name not in self._zero and (year is None or year in years)
        }
        path = min(shares, key=lambda p: shares[p])
        return path, shares[path]

    def _target(self, window: Window, year: int) -> NDArray[np.float32]:
        layer, limit = self._layers[self.choice.target, year], self.choice.limit
        values = layer.read(window)
        outside = (values < -SLACK * limit) | (values > (1 + SLACK) * limit)  # False for NaN
        if outside.any():
            other = next(name for name in LIMITS if name != self.choice.values)
            raise DataError(
                f"{layer.path}: {values[outside][0]:g} at {window} is outside the range "
                f"{self.choice.values}; set values={other!r} in the config (--values of the tool) "
                "if the file has that range, else correct its scale and nodata tags and run "
                f"`{PREPARE} verify --root {self.root}`"
            )
        if limit > 1 and ((values > 0) & (values < 1)).any() and np.nanmax(values) <= 1:
            warnings.warn(
                f"{layer.path}: values are fractions below 1, but the config has values="
                f"{self.choice.values!r}; set values='0-1' if the file has that range",
                stacklevel=2,
            )
        return values

    def _covariate(self, name: str, year: int | None, window: Window) -> NDArray[np.float32]:
        values = self._layers[name, year].read(window)
        return np.nan_to_num(values, nan=0.0) if name in self._zero else values


@final
class HMScene:
    """Scene of the newest years of an area, for maps.

    Args:
        rasters: The area, with the input years.
    """

    def __init__(self, rasters: HMRasters) -> None:
        self.rasters, self.grid = rasters, rasters.grid
        self.clip: tuple[float, float] | None = (0.0, rasters.choice.limit)
        self.channels = rasters.choice.channels

    def read(self, window: Window) -> dict[str, np.ndarray]:
        """Read the inputs of a window; a pixel that lacks any of them gets no prediction."""
        return self.rasters.inputs(window, self.rasters.years)

    def steps(self, horizon: int) -> list[str]:
        """Return the years of a forecast."""
        last, step = self.rasters.years[-1], self.rasters.choice.step
        return [str(last + step * k) for k in range(1, horizon + 1)]
