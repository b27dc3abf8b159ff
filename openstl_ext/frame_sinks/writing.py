"""Write frames in the format of their source, or in another one that the path says."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import ConfigError, ShapeError, UserError
from openstl_ext.frame_sinks import arrays, geotiffs, grids, images, video
from openstl_ext.frame_sinks.output import Output
from openstl_ext.frame_sources.geotiffs import GeoTiffs
from openstl_ext.frame_sources.grid_source import GridSource
from openstl_ext.frame_sources.source import FrameSource
from openstl_ext.frame_sources.times import Times
from openstl_ext.frame_sources.video import VideoFiles
from openstl_ext.rasters.window import Window

WRITERS = {
    ".npy": arrays.write_npy,
    ".npz": arrays.write_npz,
    ".nc": grids.write_netcdf,
    ".h5": grids.write_hdf5,
    ".hdf5": grids.write_hdf5,
    ".zarr": grids.write_zarr,
    ".mp4": video.write,
}
"""Writer of each suffix; a path without one is a folder of GeoTIFFs or pictures."""
SUFFIX_OF = {"netCDF": ".nc", "HDF5": ".h5", "zarr": ".zarr"}


def suffix_like(source: FrameSource) -> str:
    """Return the suffix of a path that ``write_like`` writes in the format of a source.

    It is empty for folders, of GeoTIFFs or of pictures.
    """
    if isinstance(source, GridSource):
        return SUFFIX_OF[source.kind]
    if isinstance(source, VideoFiles):
        return video.SUFFIX
    suffix = source.frame_files(0)[0].suffix.lower()
    return suffix if suffix in WRITERS else ""


def write_like(
    source: FrameSource,
    path: Path,
    frames: NDArray[np.float32],
    times: Times | None = None,
    *,
    sequence: int = 0,
    part: Window | None = None,
    value_range: tuple[float, float] | None = None,
    replace: bool = False,
) -> None:
    """Write the frames of one sequence, with the channels, coordinates and grid of its source.

    The suffix decides the format: ``.npy``, ``.npz``, ``.nc``, ``.h5``, ``.hdf5``, ``.zarr``,
    ``.mp4``. Without a suffix it is a folder: GeoTIFFs if the source has them, else PNG. The output
    has its final name when it is complete.

    Args:
        source: Source of the inputs.
        path: Output.
        frames: Values in the unit of the channels, NaN where missing.
        times: Time of each frame, as of ``continue_times``; None numbers them from 1.
        sequence: Sequence of the inputs.
        part: Part of the frames of the source that the frames are of; None is all.
        value_range: Values that are black and white in pictures; by default those of the type of
            a source of bytes or of 16 bits.
        replace: Whether to replace an existing folder; files are always replaced.

    Shape:
        - frames: (T, C, H, W).

    Raises:
        ConfigError: If the suffix is unknown, the path is a file of the source or an existing
            folder, or pictures have no range of values.
        DataError: If the format cannot hold the frames.
        ShapeError: If the frames do not have the channels and the size of the source.
        UserError: If a package of the format is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITERS and suffix:
        raise ConfigError(
            f"{path}: {suffix} is no format of frames; choose {', '.join(WRITERS)}, or a name "
            "without a point for a folder of GeoTIFFs or pictures"
        )
    _check_free(source, path, sequence, replace)
    size = source.size if part is None else (part.height, part.width)
    expected = (len(frames), len(source.channels), *size)
    if frames.shape != expected or (times is not None and len(times) != len(frames)):
        raise ShapeError(
            f"{path}: frames {frames.shape} with {'no' if times is None else len(times)} times, "
            f"expected {expected} as the source has"
        )
    is_bytes = source.dtype in (np.dtype(np.uint8), np.dtype(np.uint16))
    if value_range is None and is_bytes:
        value_range = (0.0, float(np.iinfo(source.dtype).max))
    layout = source.layout if isinstance(source, GridSource) else None
    grid = source.grids[sequence] if isinstance(source, GeoTiffs) else None
    if part is not None:
        layout, grid = layout and layout.cut(part), grid and grid.cut(part)
    output = Output(
        frames=frames,
        channels=source.channels,
        times=times,
        layout=layout,
        grid=grid,
        value_range=value_range,
        dtype=source.dtype if is_bytes else np.dtype(np.uint8),
        rate=(source.rates[sequence] if isinstance(source, VideoFiles) else 0.0) or 10.0,
    )
    folder = geotiffs.write if isinstance(source, GeoTiffs) else images.write
    WRITERS.get(suffix, folder)(path, output)


def _check_free(source: FrameSource, path: Path, sequence: int, replace: bool) -> None:
    """Refuse a path whose replacement would lose the inputs or other files.

    Raises:
        ConfigError: If it would.
    """
    place = path.resolve()
    for file in source.frame_files(sequence):
        if place == file.resolve() or place in file.resolve().parents:
            raise ConfigError(f"{path} is or contains the input {file}; choose another name")
    if path.is_dir() and any(path.iterdir()) and not replace:
        raise ConfigError(f"{path} exists and is not empty; choose a new name")
    is_folder = path.suffix.lower() in ("", ".zarr")
    if path.exists() and path.is_dir() != is_folder:
        raise UserError(f"{path} is {'a folder' if path.is_dir() else 'a file'}; choose a new name")
