"""Forecast sequences of frames, batch by batch."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file, save_array
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.frame_rules import FrameRules
from openstl_ext.prediction.mapping import Fields, map_scene
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.prediction.sequences import Frames, Sequences
from openstl_ext.prediction.tiles import Tiling
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window

FLOAT = np.dtype("<f4")
BatchSink = Callable[[list[str], Frames], None]


def forecast_sequences(
    predictor: Predictor,
    source: Sequences,
    sink: BatchSink,
    *,
    num_frames: int,
    horizon: int,
    batch_size: int = 8,
    tile: int | None = None,
    overlap: int = 0,
) -> None:
    """Forecast every sample; memory is that of a batch.

    As in a map, a pixel that is missing in all frames is NaN in the forecast.

    Args:
        predictor: Predictor of a method that forecasts frames.
        source: The frames.
        sink: Receives names and central forecasts (n, horizon, C, H, W), batch by batch.
        num_frames: Number of the newest frames of each sample to use.
        horizon: Number of frames to forecast.
        batch_size: Number of samples, or of tiles of one sample, per batch.
        tile: Side of overlapping tiles; frames are not divided if it is not given.
        overlap: Number of pixels that neighbouring tiles share.

    Raises:
        ConfigError: If the method predicts classes, or the batch size is less than 1.
        DataError: If a sample cannot be right, or a forecast is not finite.
    """
    if predictor.says_labels:
        raise ConfigError(
            "the method of this config predicts classes; frames need a method that forecasts"
        )
    if batch_size < 1:
        raise ConfigError(f"--batch-size is {batch_size}; it must be at least 1")
    step = batch_size if tile is None else 1
    unit = "batches" if tile is None else "samples"
    for first in tracked(range(0, len(source.names), step), "forecasting", unit):
        names = source.names[first : first + step]
        frames = source.read(range(first, first + len(names)), num_frames)
        check_sequences(predictor.method.frame_rules, names, frames)
        if tile is None:
            index = np.arange(first, first + len(names))
            forecast = predictor({"frames": frames, "index": index}, horizon)["forecast"]
            if not np.isfinite(forecast).all():
                raise DataError(f"the forecast of {names[0]} is not finite; are its weights sound?")
            seen = np.isfinite(frames).any(axis=(1, 2), keepdims=True)
            forecast = np.where(seen, forecast, np.nan)
        else:
            cuts = {"size": tile, "overlap": overlap, "batch_size": batch_size}
            forecast = _in_tiles(predictor, frames[0], first, horizon, **cuts)[None]
        sink(names, forecast)


def check_sequences(rules: FrameRules, names: Sequence[str], samples: Frames) -> None:
    """Check samples before they are forecast, and warn of frames without data.

    Args:
        rules: What the frames of the dataset in the config are like.
        names: Name of each sample.
        samples: Their frames; NaN is missing.

    Shape:
        - samples: (N, T, C, H, W).

    Raises:
        DataError: If the frames of a sample cannot be right.
    """
    for name, frames in zip(names, samples, strict=True):
        rules.check(frames, place=f"sample {name} of the input", may_be_missing=True)
        rules.warn_if_tiny(frames, place=f"sample {name} of the input")
        has_data = np.isfinite(frames).any(axis=(1, 2, 3))
        if not has_data.all():
            empty = ", ".join(map(str, np.flatnonzero(~has_data)))
            warnings.warn(
                f"sample {name} of the input: frame {empty} of {len(frames)} has no data; the "
                "mean takes its place",
                stacklevel=3,
            )


@final
class FramesScene:
    """Scene of frames without georeference.

    Args:
        frames: (T, C, H, W), NaN where there is no data.
    """

    clip: tuple[float, float] | None = None

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        height, width = frames.shape[-2:]
        straight = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
        self.grid = Grid(height=height, width=width, crs="", transform=straight)

    def read(self, window: Window) -> dict[str, NDArray[Any]]:
        """Read a window; NaN beyond the edge."""
        found = np.full((*self.frames.shape[:2], window.height, window.width), np.nan, np.float32)
        inside = window.meet(Window(0, 0, self.grid.height, self.grid.width))
        if inside is not None:
            row, column = inside.row - window.row, inside.column - window.column
            here = Window(row, column, inside.height, inside.width)
            (rows, columns), (down, across) = here.slices, inside.slices
            found[..., rows, columns] = self.frames[..., down, across]
        return {"frames": found, "valid": np.isfinite(found)}

    def steps(self, horizon: int) -> list[str]:
        """Return the indices of the leads; their length in time is unknown."""
        return [str(step) for step in range(horizon)]


def _in_tiles(
    predictor: Predictor,
    frames: Frames,
    number: int,
    horizon: int,
    *,
    size: int,
    overlap: int,
    batch_size: int,
) -> Frames:
    """Forecast one sample (horizon, C, H, W) in overlapping tiles."""
    found: list[Frames] = []

    def collect(_: Window, fields: Fields) -> None:
        found.append(fields["forecast"].copy())

    height, width = frames.shape[-2:]
    first = number * height * width  # the tiles of two samples have different noise
    map_scene(
        lambda inputs: predictor({**inputs, "index": inputs["index"] + first}, horizon),
        FramesScene(frames),
        collect,
        tiling=Tiling(height=height, width=width, size=size, overlap=overlap),
        batch_size=batch_size,
    )
    return np.concatenate(found, axis=-2)


@contextmanager
def array_file(path: Path, source: Sequences) -> Iterator[BatchSink]:
    """Write all forecasts to an ``.npy`` with the axes of the source, (N, T', C, H, W) for a set.

    It is written batch by batch and atomically. Values that were scaled are written as they were
    stored, others as float32.
    """
    with atomic_file(path) as file:
        is_begun = False
        dtype = source.dtype.newbyteorder("<") if source.divisor != 1 else FLOAT

        def sink(_: list[str], forecast: Frames) -> None:
            nonlocal is_begun
            if not is_begun:
                shape = (len(source.names), *forecast.shape[1:])
                if source.is_single:
                    shape = shape[1:] if source.has_channels else (shape[1], *shape[3:])
                descr = npy.dtype_to_descr(dtype)
                about = {"descr": descr, "fortran_order": False, "shape": shape}
                npy.write_array_header_1_0(file, about)
                is_begun = True
            values = source.stored(forecast) if source.divisor != 1 else forecast
            file.write(np.ascontiguousarray(values, dtype=dtype).data)

        yield sink


def frame_files(folder: Path, source: Sequences) -> BatchSink:
    """Write ``<sample>/<t>.npy`` below a folder, or ``<t>.npy`` where the source is one sample.

    A frame is (H, W) where it has one channel, else (C, H, W); t counts from 0.
    """

    def sink(names: list[str], forecast: Frames) -> None:
        values = source.stored(forecast) if source.divisor != 1 else forecast
        for name, frames in zip(names, values, strict=True):
            place = folder if source.is_single else folder / name
            place.mkdir(exist_ok=True)
            for t, frame in enumerate(frames):
                save_array(place / f"{t}.npy", frame[0] if len(frame) == 1 else frame)

    return sink
