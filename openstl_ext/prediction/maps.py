"""Write maps as GeoTIFFs while they are computed."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from openstl_ext.errors import ConfigError, DataError
from openstl_ext.prediction.mapping import Fields, FieldSink
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.rasters.grid import Grid, grid_points
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter
from openstl_ext.visualization.error_map import class_color

NO_LABEL = 255
"""Nodata value of a map of classes."""
BLOCK = 128
"""Side of a tile of a file; rows that are a multiple of it are compressed once."""
KINDS = {"forecast": "central"}
"""Names of fields in file names, if different."""


@contextmanager
def label_map(
    path: Path,
    predictor: Predictor,
    *,
    grid: Grid,
    area: Window,
    probability: Path | None = None,
    classes: Sequence[str] = (),
    tags: dict[str, str],
) -> Iterator[FieldSink]:
    """Write a map of classes, and one of their probabilities if requested, atomically.

    Args:
        path: GeoTIFF of class indices, uint8, 255 without a prediction, with colours and names of
            the classes; the names are in ``<path>.aux.xml`` too, where GDAL and QGIS read them.
        predictor: Converts probabilities to classes.
        grid: Grid of the raster.
        area: Part of the raster to map.
        probability: GeoTIFF with one band per class, float32, NaN without a prediction.
        classes: Names of the classes, if they are known; else they are numbered.
        tags: Metadata of the files.
    """
    with ExitStack() as files:
        labels = files.enter_context(
            RasterWriter(
                path,
                cut(grid, area),
                dtype="uint8",
                nodata=NO_LABEL,
                tags=tags,
                block=BLOCK,
            )
        )
        chances: list[RasterWriter] = []
        names: list[str] = []  # known with the first rows, as is K

        def sink(window: Window, fields: Fields) -> None:
            values = fields["probability"]
            if len(values) > NO_LABEL:
                raise DataError(f"{path}: {len(values)} classes do not fit into uint8")
            here = moved(window, area)
            known = np.isfinite(values).all(axis=0)
            found = predictor.labels_of(np.where(known, values, 0.0))
            if not names:
                fit = len(classes) == len(values)
                names.extend(classes if fit else (f"class {k}" for k in range(len(values))))
                labels.name_classes(names, [class_color(k) for k in range(len(names))])
            labels.write(np.where(known, found, NO_LABEL).astype("uint8"), here)
            if probability and not chances:
                bands = [f"probability of {name}" for name in names]
                writer = _floats(probability, cut(grid, area), bands, tags)
                chances.append(files.enter_context(writer))
            for writer in chances:
                for band, share in enumerate(values, start=1):
                    writer.write(share, here, band)

        yield sink


@contextmanager
def forecast_maps(
    folder: Path,
    stem: str,
    steps: list[str],
    *,
    grid: Grid,
    area: Window,
    clip: tuple[float, float] | None,
    tags: dict[str, str],
) -> Iterator[FieldSink]:
    """Write a GeoTIFF per lead and field, ``<stem>_<step>_<central|lower|upper|...>.tif``.

    float32, NaN without a prediction, one band per channel.

    Args:
        folder: Output folder.
        stem: First part of the file names.
        steps: Name of each lead.
        grid: Grid of the raster.
        area: Part of the raster to map.
        clip: Range to which predictions are clipped; None for no limit.
        tags: Metadata of the files.
    """
    with ExitStack() as files:
        writers: dict[tuple[str, str], RasterWriter] = {}

        def sink(window: Window, fields: Fields) -> None:
            here = moved(window, area)
            for field, frames in fields.items():
                if len(frames) != len(steps):
                    raise ConfigError(f"{len(frames)} steps of {field}, but {len(steps)} names")
                kind = KINDS.get(field, field)
                for step, frame in zip(steps, frames, strict=True):
                    if (step, kind) not in writers:
                        names = [f"{kind} {step}"] * len(frame)
                        path = folder / f"{stem}_{step}_{kind}.tif"
                        writer = _floats(path, cut(grid, area), names, tags)
                        writers[step, kind] = files.enter_context(writer)
                    for band, values in enumerate(frame, start=1):
                        values = values if clip is None else np.clip(values, *clip)
                        writers[step, kind].write(values, here, band)

        yield sink


def cut(grid: Grid, area: Window) -> Grid:
    """Return the grid of a part of a raster."""
    a, b, _, d, e, _ = grid.transform
    x, y = grid_points(grid, np.array(area.column), np.array(area.row))
    transform = (a, b, float(x), d, e, float(y))
    return Grid(height=area.height, width=area.width, crs=grid.crs, transform=transform)


def moved(window: Window, area: Window) -> Window:
    """Convert a window of the raster to one of the area."""
    return Window(window.row - area.row, window.column - area.column, window.height, window.width)


def _floats(path: Path, grid: Grid, names: list[str], tags: dict[str, str]) -> RasterWriter:
    return RasterWriter(
        path,
        grid,
        num_bands=len(names),
        dtype="float32",
        nodata=float("nan"),
        descriptions=names,
        tags=tags,
        block=BLOCK,
    )
