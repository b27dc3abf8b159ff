"""Series of GeoTIFFs: a file for each date; a folder is one sequence, a folder of folders many."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.frame_sources.dates_in_names import dates_of
from openstl_ext.frame_sources.images import natural_key
from openstl_ext.frame_sources.source import FrameSequence, FrameSource, ReadOptions, as_word
from openstl_ext.frame_sources.times import Times
from openstl_ext.leftovers import entries
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.layer import RasterLayer, RasterStack
from openstl_ext.rasters.opening import open_mask, open_raster, rasterio
from openstl_ext.rasters.window import Window
from openstl_ext.structures import Channel

SUFFIXES = (".tif", ".tiff")
EXACT_BITS = 16
"""Integers of up to so many bits survive the float32 of raster layers."""


def opens(path: Path) -> bool:
    """Return whether a path is a GeoTIFF, or a folder with some, directly or in its folders."""
    if path.is_dir():
        return bool(_rasters(path) or _folders(path))
    return path.suffix.lower() in SUFFIXES


def open(path: Path, options: ReadOptions) -> FrameSource:
    """Open the GeoTIFFs of a folder, or of its folders.

    The times are the dates in the names of the files: YYYY, YYYYMM, YYYYMMDD, YYYYDDD, each also
    with dashes, or YYYYMMDDTHHMM. Without dates the order is that of the numbers in the names.

    Channels:
        The bands, with their descriptions as names, else ``band1``, ``band2``, ... Scale and
        offset apply; NaN is where nodata or a mask says so.

    Raises:
        DataError: If two files differ in size, CRS, transform or bands, or have the same date.
    """
    if path.is_file():
        raise DataError(
            f"{path}: one GeoTIFF is the frame of one date; give the folder with the files of all "
            "dates, or write bands that are dates to files of their own, for example with "
            f"`gdal_translate -b 1 {path.name} 20200101.tif`"
        )
    return GeoTiffs(path, options)


@dataclass(frozen=True)
class Bands:
    """What the files of a series must have in common, apart from their grid."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    dtypes: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(f"{n} {d}" for n, d in zip(self.names, self.dtypes, strict=True))


class GeoTiffs:
    """Sequences of rasters on one grid each.

    Attributes:
        grids: Grid of each sequence: size, CRS and transform.
    """

    def __init__(self, root: Path, options: ReadOptions) -> None:
        here, below = _rasters(root), _folders(root)
        if here and below:
            raise DataError(
                f"{root}: has GeoTIFFs ({here[0].name}, ...) beside folders of GeoTIFFs "
                f"({below[0].name}, ...); move the files into a folder of their own"
            )
        self._options = options
        self._files: list[list[Path]] = []
        self._is_gapless = options.nodata is None
        sequences, grids, first = [], [], None
        for folder in below or [root]:
            files, times = ordered(_rasters(folder))
            files, times = (
                files[:: options.every],
                None if times is None else times[:: options.every],
            )
            for path in files:
                grid, bands = self._inspect(path)
                first = first or (path, grid, bands)
                grids += [grid] if path == files[0] else []
                grid.check_same(grids[-1], path=path, other_path=files[0])
                _check_alike(path, grid, bands, first)
            name = folder.name if below else root.resolve().name
            sequences.append(FrameSequence(name=as_word(name), num_frames=len(files), times=times))
            self._files.append(files)
        assert first is not None  # opens() has found a file
        _, grid, bands = first
        self.grids: tuple[Grid, ...] = tuple(grids)
        self.size = (grid.height, grid.width)
        self.dtype: np.dtype[Any] = np.result_type(*bands.dtypes)
        self.channels = _channels(root, bands, options)
        self.sequences = tuple(sequences)

    def read(self, sequence: int, start: int, stop: int) -> NDArray[Any]:
        """Read consecutive rasters, (T, C, H, W).

        Raises:
            DataError: If a file is damaged, or has a fill value that is not declared as nodata.
        """
        window = Window(0, 0, *self.size)
        nodata, frames = self._options.nodata, []
        for path in self._files[sequence][start:stop]:
            layers = [
                RasterLayer(path, band=band, nodata=nodata, codes=nodata is not None)
                for band in range(1, len(self.channels) + 1)
            ]
            frames.append(RasterStack(layers).read(window))
        found = np.stack(frames)
        if self._is_gapless and self.dtype.kind in "iu" and 8 * self.dtype.itemsize <= EXACT_BITS:
            return found.astype(self.dtype)
        return found

    def frame_files(self, sequence: int) -> list[Path]:
        """Return the files of a sequence."""
        return list(self._files[sequence])

    def _inspect(self, path: Path) -> tuple[Grid, Bands]:
        """Return the grid and the bands of a file, from its header."""
        dataset = open_raster(path)
        try:
            words = tuple(
                as_word(text) if text else f"band{number}"
                for number, text in enumerate(dataset.descriptions, start=1)
            )
            if len(set(words)) < len(words):
                words = tuple(f"band{number}" for number in dataset.indexes)
            is_plain = (set(dataset.scales), set(dataset.offsets)) == ({1.0}, {0.0})
            full = [rasterio().enums.MaskFlags.all_valid]
            shown = all(flags == full for flags in dataset.mask_flag_enums)
            self._is_gapless &= is_plain and shown and open_mask(path) is None
            bands = Bands(words, tuple(unit or "1" for unit in dataset.units), dataset.dtypes)
            return Grid.of(dataset), bands
        finally:
            dataset.close()


def ordered(paths: list[Path]) -> tuple[list[Path], Times | None]:
    """Sort files by the dates in their names, or else by the numbers in them."""
    times = dates_of(paths)
    if times is None:
        return sorted(paths, key=natural_key), None
    order = np.argsort(times)
    return [paths[k] for k in order], times[order]


def _check_alike(path: Path, grid: Grid, bands: Bands, first: tuple[Path, Grid, Bands]) -> None:
    """Refuse a file whose size or bands are not those of the first one."""
    where, expected_grid, expected = first
    sizes = [f"{one.height} x {one.width}" for one in (grid, expected_grid)]
    if sizes[0] != sizes[1]:
        raise DataError(
            f"{path}: {sizes[0]} pixels, {where} has {sizes[1]}; cut all areas to one size, or "
            "import them separately"
        )
    if bands != expected:
        raise DataError(
            f"{path}: has the bands {bands}, {where} has {expected}; give all files the same bands "
            "in the same order"
        )


def _channels(root: Path, bands: Bands, options: ReadOptions) -> tuple[Channel, ...]:
    names: Sequence[str] = options.channels or bands.names
    if len(names) != len(bands.names):
        raise DataError(
            f"{root}: its files have {len(bands.names)} bands, but --channels names {len(names)}: "
            f"{', '.join(names)}"
        )
    return tuple(
        Channel(name, options.unit or unit) for name, unit in zip(names, bands.units, strict=True)
    )


def _rasters(folder: Path) -> list[Path]:
    return [p for p in entries(folder) if p.suffix.lower() in SUFFIXES and p.is_file()]


def _folders(root: Path) -> list[Path]:
    return sorted((p for p in entries(root) if p.is_dir() and _rasters(p)), key=natural_key)
