"""Predict a map of a scene, tile by tile."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import ConfigError, DataError, ShapeError
from openstl_ext.frame_rules import FrameRules
from openstl_ext.prediction.blending import Blender
from openstl_ext.prediction.tiles import Tiling
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.window import Scene, Window

Inputs = dict[str, NDArray[Any]]
Fields = dict[str, NDArray[np.float32]]
Answer = Callable[[Mapping[str, NDArray[Any]]], Fields]
FieldSink = Callable[[Window, Fields], None]
Mask = Callable[[Window], NDArray[np.bool_]]


def map_scene(
    answer: Answer,
    scene: Scene,
    sink: FieldSink,
    *,
    tiling: Tiling,
    area: Window | None = None,
    mask: Mask | None = None,
    batch_size: int = 8,
    step: int = 1,
    rules: FrameRules | None = None,
) -> int:
    """Predict every pixel of an area, with one row of tiles in memory.

    A pixel is predicted if at least one of its frames has data; tiles without such a pixel are
    skipped.

    Args:
        answer: From a batch of inputs to fields (B, ..., H, W), of which the first is never NaN;
            another may be, such as an interval of a step without calibration. ``index`` of
            the inputs is the number of the first pixel of each tile.
        scene: What is read.
        sink: Receives finished rows of every field, (..., rows, columns), NaN without a
            prediction, and their window in the raster; the arrays are overwritten later.
        tiling: Positions of tiles.
        area: The requested pixels; the entire raster if not given.
        mask: Returns the requested pixels of a window of the area; all if not given.
        batch_size: Number of tiles per batch.
        step: The number of emitted rows is a multiple of this, except at the end.
        rules: What the frames of the scene must be like; None where they were checked before.

    Returns:
        Number of predicted tiles.

    Raises:
        ConfigError: If the batch size is less than 1.
        DataError: If no pixel of the area has data, a frame does not follow the rules, or a
            prediction is not finite.
        ShapeError: If the net does not predict every pixel.
    """
    if batch_size < 1:
        raise ConfigError(f"--batch-size is {batch_size}; it must be at least 1")
    area = area or tiling.whole
    blender: Blender | None = None
    count = 0
    for tiles, wanted, inputs in _batches(scene, tiling, area, mask, batch_size, rules):
        fields = answer(inputs)
        flat = {name: _by_pixel(name, v, tiling.size) for name, v in fields.items()}
        stacked = np.concatenate(list(flat.values()), axis=1)
        main = next(iter(flat.values()))[0]
        if blender is None:
            shapes = {name: value.shape[1:-2] for name, value in fields.items()}
            blender = Blender(
                tiling=tiling,
                area=area,
                num_channels=stacked.shape[1],
                sink=partial(_pass_on, sink, shapes),
                step=step,
            )
        for tile, values, pixels in zip(tiles, stacked, wanted, strict=True):
            if not np.isfinite(values[: len(main), pixels]).all():
                raise DataError(f"the prediction of {tile} is not finite; check the checkpoint")
            blender.add(tile, values, pixels)
        count += len(tiles)
    if blender is None:
        raise DataError(f"no pixel of {area} has data; choose another region or input")
    blender.finish()
    return count


def _batches(
    scene: Scene,
    tiling: Tiling,
    area: Window,
    mask: Mask | None,
    batch_size: int,
    rules: FrameRules | None,
) -> Iterator[tuple[list[Window], list[NDArray[np.bool_]], Inputs]]:
    """Yield tiles with wanted pixels, these pixels, and the stacked inputs."""
    tiles: list[Window] = []
    wanted: list[NDArray[np.bool_]] = []
    read: list[Inputs] = []
    total = sum(1 for _ in tiling.covering(area))
    for tile in tracked(tiling.covering(area), "mapping", "tiles", total=total):
        requested = _requested(tile, area, mask)
        if not requested.any():
            continue
        inputs = scene.read(tile)
        seen = np.isfinite(inputs["frames"]) & inputs.get("valid", True)
        pixels = requested & seen.any(axis=(0, 1))  # with data in at least one frame
        if not pixels.any():
            continue
        if rules is not None:
            rules.check(inputs["frames"], place=f"input at {tile}", valid=seen)
        tiles.append(tile)
        wanted.append(pixels)
        read.append({**inputs, "index": np.asarray(tile.row * tiling.width + tile.column)})
        if len(tiles) == batch_size:
            yield tiles, wanted, _stacked(read)
            tiles, wanted, read = [], [], []
    if tiles:
        yield tiles, wanted, _stacked(read)


def _requested(tile: Window, area: Window, mask: Mask | None) -> NDArray[np.bool_]:
    """Return the requested pixels of a tile."""
    requested = np.zeros((tile.height, tile.width), dtype=bool)
    if part := tile.meet(area):
        here = Window(part.row - tile.row, part.column - tile.column, part.height, part.width)
        requested[here.slices] = True if mask is None else mask(part)
    return requested


def _stacked(read: list[Inputs]) -> Inputs:
    return {name: np.stack([inputs[name] for inputs in read]) for name in read[0]}


def _by_pixel(name: str, values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Flatten (B, ..., H, W) to (B, K, H, W)."""
    if values.ndim < 4 or values.shape[-2:] != (size, size):
        raise ShapeError(
            f"{name} has shape {values.shape}, but a map needs a value for each pixel of a tile, "
            f"(B, ..., {size}, {size}); use a net that predicts every pixel"
        )
    return values.reshape(len(values), -1, size, size)


def _pass_on(
    sink: FieldSink, shapes: dict[str, tuple[int, ...]], window: Window, rows: NDArray[np.float32]
) -> None:
    """Pass the rows of a blender to a sink, as fields."""
    sink(window, _unstacked(rows, shapes))


def _unstacked(rows: NDArray[np.float32], shapes: dict[str, tuple[int, ...]]) -> Fields:
    """Split (K, rows, columns) into its fields."""
    fields, first = {}, 0
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        fields[name] = rows[first : first + count].reshape(*shape, *rows.shape[1:])
        first += count
    return fields
