"""Maps as GeoTIFFs, written while they are computed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from openstl_ext.errors import ConfigError, DataError
from openstl_ext.prediction.mapping import Fields, FieldSink
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.rasters.grid import Grid, grid_points
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter

NO_LABEL = 255
"""Stands in a map of classes where there is no answer; its nodata tag says so."""
BLOCK = 128
"""Side of a block of a file: what is written in rows of it is compressed once."""
KINDS = {"forecast": "central"}
"""What a field is called in the name of a file, where that is not its own name."""


@contextmanager
def label_map(
    path: Path,
    predictor: Predictor,
    *,
    grid: Grid,
    area: Window,
    probability: Path | None = None,
    tags: dict[str, str],
) -> Iterator[FieldSink]:
    """A map of classes, and one of their probabilities if asked for; whole or not at all.

    Args:
        path: GeoTIFF of class indices, uint8, 255 where there is no answer.
        predictor: Decides which class a probability means.
        grid: The raster.
        area: The part of it that is mapped.
        probability: GeoTIFF with one band a class, float32, NaN where there is no answer.
        tags: What the files say of their making.
    """
    with ExitStack() as files:
        labels = files.enter_context(
            RasterWriter(
                path, cut(grid, area), dtype="uint8", nodata=NO_LABEL, tags=tags, block=BLOCK
            )
        )
        chances: list[RasterWriter] = []  # opened with the first rows, which know K

        def sink(window: Window, fields: Fields) -> None:
            values = fields["probability"]
            if len(values) > NO_LABEL:
                raise DataError(f"{path}: {len(values)} classes do not fit one byte a pixel")
            here = moved(window, area)
            known = np.isfinite(values).all(axis=0)
            found = predictor.labels_of(np.where(known, values, 0.0))
            labels.write(np.where(known, found, NO_LABEL).astype("uint8"), here)
            if probability and not chances:
                names = [f"probability of class {k}" for k in range(len(values))]
                writer = _floats(probability, cut(grid, area), names, tags)
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
    """One GeoTIFF a step and field, ``<stem>_<step>_<central|lower|upper|...>.tif``.

    float32, NaN where there is no answer, one band a channel.

    Args:
        folder: Where they go.
        stem: How their names begin.
        steps: Name of each step.
        grid: The raster.
        area: The part of it that is mapped.
        clip: Range that an answer is cut to; None for any.
        tags: What the files say of their making.
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
    """The grid of a part of a raster."""
    a, b, _, d, e, _ = grid.transform
    x, y = grid_points(grid, np.array(area.column), np.array(area.row))
    transform = (a, b, float(x), d, e, float(y))
    return Grid(height=area.height, width=area.width, crs=grid.crs, transform=transform)


def moved(window: Window, area: Window) -> Window:
    """A window of the raster as a window of the area."""
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
