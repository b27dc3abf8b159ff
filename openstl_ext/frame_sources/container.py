"""Files with several named arrays: netCDF, HDF5 and zarr, seen alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError, nearest
from openstl_ext.frame_sources.dimensions import letters_of

Key = tuple[int | slice, ...]
MOST_NAMES = 8
"""Most variables that a message lists."""


@dataclass(frozen=True, kw_only=True)
class StoredVariable:
    """An array of a container; values are read when they are used.

    Args:
        dims: Name of each axis; empty for one without a name.
        shape: Length of each axis.
        dtype: Type of the values as stored.
        attrs: Attributes, such as ``units``.
        read: Returns the stored values of an integer or a slice for each axis.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attrs: Mapping[str, Any]
    read: Callable[[Key], NDArray[Any]] = field(repr=False)

    def values(self) -> NDArray[Any]:
        """Read all values."""
        return self.read(tuple(slice(None) for _ in self.shape))

    def __str__(self) -> str:
        """Names and lengths of the axes, as in ``time 12, lat 61, lon 120``."""
        pairs = zip(self.dims, self.shape, strict=True)
        return ", ".join(f"{name} {length}".strip() for name, length in pairs)


@dataclass(frozen=True, kw_only=True)
class Container:
    """The arrays of one open file.

    Args:
        path: The file, or the folder of a zarr store.
        variables: Array of each name.
        close: Closes the file.
    """

    path: Path
    variables: Mapping[str, StoredVariable]
    close: Callable[[], None] = field(repr=False)

    def get(self, name: str) -> StoredVariable:
        """Return an array.

        Raises:
            DataError: If there is none of this name; the message proposes near names.
        """
        if name not in self.variables:
            raise DataError(f"{self.path}: has no variable {name!r}; {nearest(name, self.found())}")
        return self.variables[name]

    def found(self) -> list[str]:
        """Return the names of the arrays of numbers that may be frames: of 3 axes or more."""
        return [
            name
            for name, variable in self.variables.items()
            if len(variable.shape) >= 3 and variable.dtype.kind in "fiub"
        ]

    def only(self, axes: str | None) -> str:
        """Return the name of the one array that can be frames.

        Args:
            axes: Order of its axes, if the user states it.

        Raises:
            DataError: If there is none, or there are several; the message names them.
        """
        found = self.found()
        if axes is not None:
            found = [name for name in found if len(self.variables[name].shape) == len(axes)]
        elif timed := [name for name in found if self._may_be_frames(name)]:
            found = timed
        if len(found) == 1:
            return found[0]
        if found:
            listed = [f"{name} ({self.variables[name]})" for name in found[:MOST_NAMES]]
            listed += ["..."] if len(found) > MOST_NAMES else []
            raise DataError(
                f"{self.path}: has several variables: {'; '.join(listed)}; choose one with "
                "--variable"
            )
        listed = [f"{name} ({variable})" for name, variable in self.variables.items()]
        raise DataError(
            f"{self.path}: no variable has the axes time, rows and columns; it has "
            f"{'; '.join(listed[:MOST_NAMES]) or 'no variable'}; if the frames are in a group, "
            "name it: --variable GROUP/NAME"
        )

    def _may_be_frames(self, name: str) -> bool:
        variable = self.variables[name]
        letters = letters_of(variable.dims, self.attributes())
        return not any(variable.dims) or {"T", "H", "W"} <= set(filter(None, letters))

    def attributes(self) -> dict[str, Mapping[str, Any]]:
        """Return the attributes of each array, by its name."""
        return {name: variable.attrs for name, variable in self.variables.items()}
