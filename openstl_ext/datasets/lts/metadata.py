"""``stack.json``: what the numbers of a series of satellite images mean."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import ConfigError, DataError, nearest

FILE = "stack.json"
PREPARE = "openstl-ext data lts"
"""The tool; its subcommands are ``cut``, ``convert``, ``verify`` and ``statistics``."""

Transform = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class SeriesFacts:
    """Years and bands of a series, and how its stored numbers become values.

    Args:
        years: Of each image, oldest first; a year that is not there is a gap, and none is made up.
        bands: Name of each band, in order.
        classes: Name of each class of the label.
        nodata: Stored number that stands for a missing observation; NaN always does.
        scale: A value is the stored number times this, plus the offset.
        offset: Added after scaling.
        unit: Unit of the values.
        crs: Coordinate reference system as WKT; empty for none.
        transform: From column and row to coordinates, as in ``rasters.Grid``; None for none.
        patch_size: Side of the patches that were cut, in pixels; None if none were.
        buffer: Pixels that were left out between the splits.
    """

    years: tuple[int, ...]
    bands: tuple[str, ...]
    classes: tuple[str, ...] = ("background", "site")
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = "1"
    crs: str = ""
    transform: Transform | None = None
    patch_size: int | None = None
    buffer: int = 0

    def write(self, path: Path) -> None:
        """Replace a file by these, whole."""
        atomic_write(path, (json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> "SeriesFacts":
        """The facts of a file.

        Raises:
            DataError: If it is unreadable or contradicts itself.
        """
        return cls.of(content_of(path), path)

    @classmethod
    def of(cls, content: dict[str, Any], path: Path) -> "SeriesFacts":
        """Facts from what a file says, perhaps completed by what others say.

        Raises:
            DataError: If a field is missing, unknown or makes no sense; it names file and field.
        """
        unknown = sorted(set(content) - set(cls.__dataclass_fields__))
        if unknown:
            advice = nearest(unknown[0], cls.__dataclass_fields__)
            raise DataError(f"{path}: {unknown[0]!r} is no field of it; {advice}")
        for name in ("years", "bands"):
            if not content.get(name):
                raise DataError(f"{path}: says no {name}; add them, as in {EXAMPLE}")
        try:
            facts = cls(**{name: _PARSERS[name](value) for name, value in content.items()})
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}: {error}; it should be as in {EXAMPLE}") from None
        facts._check(path)
        return facts

    def _check(self, path: Path) -> None:
        if any(after <= before for before, after in pairwise(self.years)):
            raise DataError(f"{path}: years must rise, oldest first; they are {self.years}")
        for name in ("bands", "classes"):
            named: tuple[str, ...] = getattr(self, name)
            if len(set(named)) < len(named):
                raise DataError(f"{path}: two {name} have one name: {', '.join(named)}")
        if len(self.classes) < 2:
            raise DataError(f"{path}: {len(self.classes)} classes, and two are the least")
        if not self.scale or not math.isfinite(self.scale) or not math.isfinite(self.offset):
            raise DataError(f"{path}: scale {self.scale} and offset {self.offset} give no values")

    def in_data_units(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Stored numbers as values, float32, NaN where the observation is missing."""
        values = stored.astype(np.float32)
        if (self.scale, self.offset) != (1.0, 0.0):
            values *= np.float32(self.scale)
            values += np.float32(self.offset)
        is_float = stored.dtype.kind == "f"
        if is_float:
            np.copyto(values, np.nan, where=np.isinf(stored))
        if self.nodata is not None and (is_float or self.nodata == int(self.nodata)):
            # in the stored type: -3.4e38 has more digits as a double, and whole numbers are faster
            with np.errstate(over="ignore"):
                nodata = stored.dtype.type(self.nodata) if is_float else int(self.nodata)
            np.copyto(values, np.nan, where=stored == nodata)
        return values

    def newest(self, num_years: int | None) -> slice:
        """Where the newest years lie.

        Raises:
            ConfigError: If there are not so many.
        """
        length = len(self.years)
        if num_years is not None and not 1 <= num_years <= length:
            raise ConfigError(
                f"num_years {num_years} of a series of {length} years "
                f"({self.years[0]}-{self.years[-1]})"
            )
        return slice(length - (num_years or length), length)

    def places(self, bands: Sequence[str] | None) -> list[int]:
        """Where bands lie that are asked for by name; all in their order if none are.

        Raises:
            ConfigError: If one is not there, or asked for twice.
        """
        wanted = self.bands if bands is None else tuple(bands)
        if unknown := [name for name in wanted if name not in self.bands]:
            raise ConfigError(f"there is no band {unknown[0]!r}; {nearest(unknown[0], self.bands)}")
        if not wanted or len(set(wanted)) < len(wanted):
            raise ConfigError(f"bands {list(wanted)}: name each band once, and at least one")
        return [self.bands.index(name) for name in wanted]


def content_of(path: Path) -> dict[str, Any]:
    """The fields of a file, unchecked.

    Raises:
        DataError: If it is no JSON object.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable ({error}); it should be as in {EXAMPLE}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: not a JSON object; it should be as in {EXAMPLE}")
    return content


EXAMPLE = '{"years": [2011, 2013], "bands": ["red", "nir"], "nodata": -9999, "scale": 0.0001}'


def _whole(value: Any) -> int:
    if isinstance(value, bool) or int(value) != value:
        raise ValueError(f"{value!r} is no whole number")
    return int(value)


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(name, str) and name for name in value):
        raise ValueError(f"{value!r} is no list of names")
    return tuple(value)


def _numbers(value: Any) -> Transform | None:
    if value is None:
        return None
    a, b, c, d, e, f = (float(v) for v in value)
    return a, b, c, d, e, f


_PARSERS: dict[str, Any] = {
    "years": lambda value: tuple(_whole(v) for v in value),
    "bands": _names,
    "classes": _names,
    "nodata": lambda value: None if value is None else float(value),
    "scale": float,
    "offset": float,
    "unit": str,
    "crs": str,
    "transform": _numbers,
    "patch_size": lambda value: None if value is None else _whole(value),
    "buffer": _whole,
}
