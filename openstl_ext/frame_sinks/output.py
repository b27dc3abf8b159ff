"""Frames to be written, with what the source of their inputs says about them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import ConfigError, DataError
from openstl_ext.frame_sources.layout import Layout
from openstl_ext.frame_sources.times import Times
from openstl_ext.rasters.grid import Grid
from openstl_ext.structures import Channel


@dataclass(frozen=True, kw_only=True)
class Output:
    """Frames of one sequence, and their description.

    Args:
        frames: The values, NaN where missing.
        channels: Names and units.
        times: Time of each frame; None if unknown, then frames are numbered from 1.
        layout: Names and coordinates of the axes, of a source that has them.
        grid: CRS and transform, of a source that has them.
        value_range: Values that pictures show as black and white; None if it is unknown.
        dtype: Type of the pixels of pictures: bytes, or 16 bits.
        rate: Frames per second of a video.

    Shape:
        - frames: (T, C, H, W).
    """

    frames: NDArray[np.float32]
    channels: tuple[Channel, ...]
    times: Times | None = None
    layout: Layout | None = None
    grid: Grid | None = None
    value_range: tuple[float, float] | None = None
    dtype: np.dtype[Any] = np.dtype(np.uint8)  # noqa: RUF009 -- a constant
    rate: float = 10.0

    def names(self) -> list[str]:
        """Return a word for each frame: its time, or its number from 1 with leading zeros."""
        if self.times is None:
            digits = max(4, len(str(len(self.frames))))
            return [f"{number:0{digits}d}" for number in range(1, len(self.frames) + 1)]
        times = self.times
        if times.dtype not in ("M8[Y]", "M8[M]", "M8[D]"):
            days = times.astype("M8[D]")
            times = days if (days == times).all() else times.astype("M8[s]")
        return [str(time).replace("-", "").replace(":", "") for time in times]

    def pixels(self, path: Path) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return pixels of pictures (T, H, W, C) and True where a value is known (T, H, W).

        Values beyond the range become black or white.

        Raises:
            ConfigError: If the range is unknown.
            DataError: If there are not one or three channels.
        """
        if len(self.channels) not in (1, 3):
            raise DataError(
                f"{path}: pictures have 1 or 3 channels, these frames have {len(self.channels)}; "
                "choose .npy or .nc"
            )
        if self.value_range is None or not self.value_range[0] < self.value_range[1]:
            raise ConfigError(
                f"{path}: the values that are black and white in pictures are {self.value_range}; "
                "state two ascending numbers as the range, or choose .npy or .nc"
            )
        low, high = self.value_range
        frames = np.moveaxis(self.frames, 1, -1)
        known: NDArray[np.bool_] = np.asarray(np.isfinite(frames).all(axis=-1))
        shares = (np.where(known[..., None], frames, low).astype(np.float64) - low) / (high - low)
        top = np.iinfo(self.dtype).max
        return np.rint(shares.clip(0, 1) * top).astype(self.dtype), known
