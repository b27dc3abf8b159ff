"""Mean and standard deviation of each band of a series, computed in pieces."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.lts.series import Series
from openstl_ext.errors import DataError
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.rasters.window import Window
from openstl_ext.statistics import ChannelStatistics

ROWS = 64
"""Number of rows of a block that are read together."""


def measure(pieces: Iterable[NDArray[np.float32]], bands: Sequence[str]) -> ChannelStatistics:
    """Compute statistics of all valid values of pieces (T, C, H, W).

    Sums are float64 and relative to the current mean (Chan's update), so that precision does not
    decrease with the number of values or the size of the mean.

    Args:
        pieces: Values, NaN where missing.
        bands: Name of each band.

    Raises:
        DataError: If a band has no valid value, or the same value everywhere.
    """
    count, mean, square = (np.zeros(len(bands)) for _ in range(3))
    for piece in pieces:
        values = np.moveaxis(piece, 1, 0).reshape(len(bands), -1).astype(np.float64)
        there = ~np.isnan(values)
        new = there.sum(axis=1)
        some = np.maximum(new, 1)
        local = np.where(there, values, 0).sum(axis=1) / some
        spread = np.where(there, values - local[:, None], 0)
        total = np.maximum(count + new, 1)
        shift = local - mean
        square += (spread**2).sum(axis=1) + shift**2 * count * new / total
        mean += shift * new / total
        count += new
    std = np.sqrt(square / np.maximum(count, 1))
    for band, number, width in zip(bands, count, std, strict=True):
        if not width > 0:
            reason = "the same value everywhere" if number else "no valid value"
            raise DataError(
                f"band {band} has {reason} in the training blocks, so it cannot be normalised; "
                "leave it out"
            )
    return ChannelStatistics(
        names=tuple(bands),
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
        count=tuple(int(n) for n in count),
    )


def with_data(
    pieces: Iterable[NDArray[np.float32]],
    years: Sequence[int],
    root: Path,
    zero: float | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Yield pieces (T, C, H, W); warn at the end of years without data, and of zeros that may be.

    Args:
        pieces: Values, NaN where missing.
        years: Year of each image.
        root: Folder of the data, for the message.
        zero: Value of the stored number 0. A pixel with it in every one of several bands is
            probably beside the image; None if it is not.
    """
    known, empty = np.zeros(len(years), np.int64), np.zeros(len(years), np.int64)
    for piece in pieces:
        known += (~np.isnan(piece)).sum(axis=(1, 2, 3))
        if zero is not None and piece.shape[1] > 1:
            empty += (piece == np.float32(zero)).all(axis=1).sum(axis=(1, 2))
        yield piece
    if absent := [str(year) for year, number in zip(years, known, strict=True) if not number]:
        warnings.warn(
            f"{root}: no pixel of {', '.join(absent)} has data in these blocks or patches; correct "
            "the nodata value or the raster of this year, or leave the year out",
            stacklevel=2,
        )
    if empty.any():
        worst = int(empty.argmax())
        warnings.warn(
            f"{root}: {empty.sum()} pixels are 0 in every band, most in {years[worst]} "
            f"({empty[worst]}); if they have no data, declare nodata 0",
            stacklevel=2,
        )


def training_blocks(
    series: Series, split: BlockSplit, bands: Sequence[int], years: slice
) -> Iterator[NDArray[np.float32]]:
    """Yield the values of all training blocks, each pixel once, some rows at a time."""
    own = split.codes == split.names.index("train") + 1
    area = Window(0, 0, split.height, split.width)
    size = split.block_size
    strips = [
        Window(block_row * size + row, block_column * size, min(ROWS, size - row), size).meet(area)
        for block_row, block_column in np.argwhere(own).tolist()
        for row in range(0, size, ROWS)
    ]
    inside = [strip for strip in strips if strip is not None]
    for strip in tracked(inside, "statistics", "strips"):
        yield series.frames(strip, years, bands)


def span(years: Sequence[int]) -> str:
    """Describe the number and range of years."""
    return f"{len(years)} years, {years[0]}-{years[-1]}"
