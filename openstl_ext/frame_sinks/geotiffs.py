"""Series of GeoTIFFs: a file for each frame, with the CRS and transform of the inputs."""

from pathlib import Path

from openstl_ext.atomic_io import atomic_folder
from openstl_ext.errors import DataError
from openstl_ext.frame_sinks.output import Output
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter


def write(path: Path, output: Output) -> None:
    """Write ``<date>.tif`` for each frame, float32; nodata is NaN, bands are named as the channels.

    Raises:
        DataError: If the source of the inputs has no grid, or one of another size.
    """
    grid = output.grid
    size = output.frames.shape[-2:]
    if grid is None or (grid.height, grid.width) != size:
        found = "none" if grid is None else grid.describe()
        raise DataError(
            f"{path}: GeoTIFFs of {size[0]} x {size[1]} pixels need the grid of the inputs, found "
            f"{found}; choose .npy or .nc"
        )
    window = Window(0, 0, *size)
    labels = [channel.label for channel in output.channels]
    with atomic_folder(path) as part:
        for name, frame in zip(output.names(), output.frames, strict=True):
            file = part / f"{name}.tif"
            with RasterWriter(file, grid, num_bands=len(frame), descriptions=labels) as writer:
                for band, values in enumerate(frame, start=1):
                    writer.write(values, window, band)
