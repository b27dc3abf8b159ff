"""``stack.json``: years, bands, classes and scaling of a series of satellite images."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import ConfigError, DataError, nearest
from openstl_ext.json_file import read_json
from openstl_ext.rasters.fill_values import check_fill, may_have_fill
from openstl_ext.rasters.raster_file import equals_nodata
from openstl_ext.structures import Channel

FILE = "stack.json"
PREPARE = "openstl-ext data lts"
"""The tool; its subcommands are ``cut``, ``convert``, ``verify`` and ``statistics``."""
EXAMPLE = '{"years": [2011, 2013], "bands": ["red", "nir"], "nodata": -9999, "scale": 0.0001}'

Transform = tuple[float, float, float, float, float, float]
Classes = Annotated[tuple[str, ...], msgspec.Meta(min_length=2)]


class SeriesFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Years and bands of a series, and the conversion of its stored numbers to values.

    Args:
        years: Year of each image, ascending; a missing year is a gap and is not filled.
        bands: Name of each band, in order.
        classes: Name of each class of the label.
        nodata: Stored number that means a missing observation; NaN always does.
        scale: A value is the stored number times this, plus the offset.
        offset: Added after scaling.
        unit: Unit of the values.
        crs: Coordinate reference system as WKT; empty for none.
        transform: From column and row to coordinates, as in ``rasters.Grid``; None for none.
        patch_size: Side of the patches that were cut, in pixels; None if none were.
        buffer: Pixels between the splits that are in none of them.
    """

    years: tuple[int, ...] = ()
    bands: tuple[str, ...] = ()
    classes: Classes = ("background", "site")
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = "1"
    crs: str = ""
    transform: Transform | None = None
    patch_size: int | None = None
    buffer: int = 0

    def channels(self, bands: Sequence[int]) -> tuple[Channel, ...]:
        """Return the channels of bands with these indices."""
        return tuple(Channel(self.bands[band], self.unit) for band in bands)

    def write(self, path: Path) -> None:
        """Write the file atomically."""
        text = msgspec.json.format(msgspec.json.encode(self), indent=1)
        atomic_write(path, text + b"\n")

    @classmethod
    def read(cls, path: Path, *, complete: bool = True) -> "SeriesFacts":
        """Read the file.

        Args:
            path: The file.
            complete: Whether it must contain years and bands; GeoTIFFs may have them instead.

        Raises:
            DataError: If the file is not readable or inconsistent; it names file and field.
        """
        facts = read_json(path, cls, advice=f"it should be as in {EXAMPLE}")
        if complete:
            facts.check(path)
        return facts

    def check(self, path: Path) -> None:
        """Reject missing or repeated names, and years that do not ascend.

        Raises:
            DataError: If so; it names the file and the field.
        """
        for name in ("years", "bands", "classes"):
            values: tuple[Any, ...] = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise DataError(
                    f"{path}: {name} are {list(values)}, expected at least one, each once; it "
                    f"should be as in {EXAMPLE}"
                )
        if any(after <= before for before, after in pairwise(self.years)):
            raise DataError(f"{path}: years are {self.years}; order them, oldest first")

    def in_data_units(self, stored: NDArray[Any], path: Path | str = FILE) -> NDArray[np.float32]:
        """Convert stored numbers to values, float32, NaN where the observation is missing.

        Args:
            stored: Numbers of the file.
            path: The file, for messages.

        Shape:
            - stored, returns: (..., H, W).

        Raises:
            DataError: If the numbers have a fill value that is not declared as nodata.
        """
        values = stored.astype(np.float32)
        if (self.scale, self.offset) != (1.0, 0.0):
            values *= np.float32(self.scale)
            values += np.float32(self.offset)
        if stored.dtype.kind == "f":
            np.copyto(values, np.nan, where=np.isinf(stored))
        if self.nodata is not None:
            np.copyto(values, np.nan, where=equals_nodata(stored, self.nodata))
        if may_have_fill(values, self.scale, self.offset):
            for place in np.ndindex(stored.shape[:-2]):
                check_fill(
                    stored[place][~np.isnan(values[place])],
                    place=f"{path}: image and band {place} of those read",
                    declare=f'write "nodata" to {FILE}',
                )
        return values

    def newest(self, num_years: int | None) -> slice:
        """Return the slice of the newest years.

        Raises:
            ConfigError: If there are fewer.
        """
        length = len(self.years)
        if num_years is not None and not 1 <= num_years <= length:
            raise ConfigError(
                f"num_years is {num_years}, but the series has {length} years "
                f"({self.years[0]}-{self.years[-1]})"
            )
        return slice(length - (num_years or length), length)

    def places(self, bands: Sequence[str] | None) -> list[int]:
        """Return the indices of bands by name; all bands for None.

        Raises:
            ConfigError: If a band does not exist or is named twice.
        """
        names = self.bands if bands is None else tuple(bands)
        if unknown := [name for name in names if name not in self.bands]:
            raise ConfigError(f"there is no band {unknown[0]!r}; {nearest(unknown[0], self.bands)}")
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"bands are {list(names)}; name at least one, and each band once")
        return [self.bands.index(name) for name in names]
