"""Source of the frames of one variable of a netCDF or HDF5 file, or of a zarr store."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.frame_sources.axes import axes_of
from openstl_ext.frame_sources.container import Container, StoredVariable
from openstl_ext.frame_sources.dimensions import LEVELS, arranged
from openstl_ext.frame_sources.layout import layout_of
from openstl_ext.frame_sources.libraries import library
from openstl_ext.frame_sources.source import FrameSequence, ReadOptions, as_word
from openstl_ext.frame_sources.times import Times, decode_times
from openstl_ext.rasters.fill_values import check_fill
from openstl_ext.rasters.raster_file import equals_nodata
from openstl_ext.structures import Channel

PACKED = ("_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned")
"""Attributes of the CF conventions by which stored numbers become values."""
UNREADABLE = (OSError, ValueError, KeyError, RuntimeError, TypeError)
"""Exceptions of the libraries for a damaged file."""


class GridSource:
    """Frames of a variable, read in slices of time.

    Each process opens the file at its first access. Instances can be pickled.

    Args:
        path: File or store.
        options: What the file does not state.
        kind: Its format, a key of ``PACKAGES``.
        opener: Opens it; a function of a module, so that it can be pickled.

    Attributes:
        layout: Names, order and coordinates of the axes, for forecasts in the same format.

    Raises:
        DataError: If the file is damaged or the variable is no sequence of frames.
    """

    def __init__(
        self,
        path: Path,
        options: ReadOptions,
        *,
        kind: str,
        opener: Callable[[Path, str | None], Container],
    ) -> None:
        self.kind = kind
        self.path, self._options, self._opener = path, options, opener
        self._container: Container | None = None
        self._owner = -1
        name = options.variable or self._open().only(options.axes)
        variable = self._open().get(name)
        self._name, self._letters = name, _letters(self._open(), name, options)
        if variable.dtype.kind not in "fiub":
            raise DataError(f"{path}: {name} has type {variable.dtype}, frames are real numbers")
        if 0 in variable.shape:
            raise DataError(f"{path}: {name} is empty ({variable}); write it again")
        self.layout = layout_of(self._open(), name, self._letters)
        self.size = (self._length("H"), self._length("W"))
        self.dtype: np.dtype[Any] = variable.dtype.newbyteorder("=")
        self._is_packed = options.nodata is not None or any(k in variable.attrs for k in PACKED)
        self.channels = self._channels()
        times = self._times()
        count = -(-self._length("T") // options.every)
        self.sequences = tuple(
            FrameSequence(name=word, num_frames=count, times=times) for word in self._names()
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_container": None, "_owner": -1}

    def read(self, sequence: int, start: int, stop: int) -> NDArray[Any]:
        """Read consecutive frames, (T, C, H, W).

        Raises:
            DataError: If the file is damaged there, or has a fill value that is not declared.
        """
        every = self._options.every
        stop = min(stop, self.sequences[sequence].num_frames)
        keys: dict[str, int | slice] = {
            "N": sequence,
            "T": slice(start * every, stop * every, every),
            ".": 0,
        }
        key = tuple(keys.get(letter, slice(None)) for letter in self._letters)
        variable = self._open().get(self._name)
        try:
            stored = np.asarray(variable.read(key))
        except UNREADABLE as error:
            raise DataError(
                f"{self.path}: frames {start} to {stop - 1} of {self._name} cannot be read "
                f"({_line(error)}); copy or write the file again"
            ) from error
        values = self._decode(stored, variable, f"{self._name}, frames {start} to {stop - 1}")
        left = [letter for letter in self._letters if letter in "TCHW"]
        if "C" not in left:
            values, left = values[None], ["C", *left]
        return np.ascontiguousarray(values.transpose([left.index(letter) for letter in "TCHW"]))

    def frame_files(self, sequence: int) -> list[Path]:
        """Return the file, or the files of the zarr store."""
        del sequence
        if self.path.is_dir():
            return sorted(path for path in self.path.rglob("*") if path.is_file())
        return [self.path]

    def _open(self) -> Container:
        if self._container is None or self._owner != os.getpid():
            try:
                self._container = self._opener(self.path, self._options.variable)
            except UNREADABLE as error:
                if isinstance(error, DataError):
                    raise
                group = (self._options.variable or "").strip("/").rpartition("/")[0]
                reason = f"has no group {group}, or " if group else ""
                raise DataError(
                    f"{self.path}: {reason}is damaged or of another format ({_line(error)}); "
                    f"{'correct --variable, or ' if group else ''}copy or write it again"
                ) from error
            self._owner = os.getpid()
        return self._container

    def _length(self, letter: str) -> int:
        shape = self._open().get(self._name).shape
        return shape[self._letters.index(letter)] if letter in self._letters else 1

    def _along(self, letter: str) -> tuple[str, StoredVariable | None]:
        """Return the name of an axis, and the coordinate of this name."""
        if letter not in self._letters:
            return "", None
        name = self._open().get(self._name).dims[self._letters.index(letter)]
        found = self._open().variables.get(name)
        return name, found if found is not None and len(found.shape) == 1 else None

    def _decode(self, stored: NDArray[Any], variable: StoredVariable, place: str) -> NDArray[Any]:
        """Return values: scaled, NaN where missing."""
        if not self._is_packed and stored.dtype.kind != "f":
            self._check_fill(stored, place)
            return stored.astype(np.uint8 if stored.dtype.kind == "b" else self.dtype)
        values = stored
        if self._is_packed:
            xr = library("xarray", kind=self.kind)
            dims = tuple(f"d{k}" for k in range(stored.ndim))
            attrs = {key: variable.attrs[key] for key in PACKED if key in variable.attrs}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", xr.SerializationWarning)  # two kinds of missing
                packed = xr.Variable(dims, stored, attrs)
                values = xr.conventions.decode_cf_variable("frames", packed).values
        missing = np.isnan(values) | equals_nodata(stored, self._options.nodata)
        self._check_fill(stored[~missing], place)
        return np.where(missing, np.float32("nan"), values.astype(np.float32))

    def _check_fill(self, known: NDArray[Any], place: str) -> None:
        if self._options.nodata is None:
            check_fill(
                known,
                place=f"{self.path}: {place}",
                declare="state it with --nodata, or state --nodata nan if it is a value",
            )

    def _channels(self) -> tuple[Channel, ...]:
        attrs, options = self._open().get(self._name).attrs, self._options
        unit = options.unit or str(attrs.get("units", "")).strip() or "1"
        count, word = self._length("C"), as_word(self.layout.variable)
        dim, coordinate = self._along("C")
        if options.channels is not None:
            if len(options.channels) != count:
                raise DataError(
                    f"{self.path}: {self._name} has {count} channels, but --channels names "
                    f"{len(options.channels)}: {', '.join(options.channels)}"
                )
            return tuple(Channel(name, unit) for name in options.channels)
        if "C" not in self._letters:
            return (Channel(word, unit),)
        if coordinate is None:
            return tuple(Channel(str(k), unit) for k in range(count))
        values = coordinate.values()
        if dim.lower() in LEVELS and values.dtype.kind in "fiu":
            return tuple(Channel(word, unit, float(value)) for value in values)
        return tuple(Channel(as_word(_text(value)), unit) for value in values)

    def _times(self) -> Times | None:
        name, coordinate = self._along("T")
        if coordinate is None:
            return None
        times = decode_times(
            coordinate.values(), coordinate.attrs, name=name, path=self.path, kind=self.kind
        )
        return None if times is None else times[:: self._options.every]

    def _names(self) -> list[str]:
        if "N" not in self._letters:
            return [as_word(self.path.stem)]
        _, coordinate = self._along("N")
        count = self._length("N")
        digits = max(5, len(str(count - 1)))
        words = [] if coordinate is None else [as_word(_text(v)) for v in coordinate.values()]
        if len(set(words)) == count:
            return words
        return [f"{index:0{digits}d}" for index in range(count)]


def _letters(container: Container, name: str, options: ReadOptions) -> str:
    """Return the letter of each axis, as stated or by the names of the axes."""
    variable = container.get(name)
    if options.axes is not None or not any(variable.dims):
        return axes_of(variable.shape, options.axes, place=f"{container.path}: variable {name}")
    return arranged(
        name, variable.dims, variable.shape, container.attributes(), path=container.path
    )


def _line(error: BaseException) -> str:
    """Return the first line of a library's message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _text(value: Any) -> str:
    """Return a coordinate as text; whole numbers without a point."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)
