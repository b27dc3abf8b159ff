"""Write forecasts of frames in the kind of their source, or in that of the output's suffix."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.errors import ConfigError
from openstl_ext.frame_sinks import continue_times, suffix_like, write_like
from openstl_ext.prediction.destination import FILES, TIFF, answer_folder
from openstl_ext.prediction.forecasting import BatchSink, array_file, frame_files
from openstl_ext.prediction.sequences import Frames, Sequences
from openstl_ext.prediction.source_frames import SourceFrames

ARRAYS = (".npy", ".npz")
REFUSED = (".avi", ".mov", ".mkv", ".webm", ".gif", ".png", ".jpg", ".jpeg", ".bmp", *TIFF)
"""Suffixes that are no folder and are not written."""
IN_PROGRESS = "forecast_in_progress"


@contextmanager
def forecast_output(
    out: Path, source: Sequences, about: dict[str, Any], path: Path
) -> Iterator[BatchSink]:
    """Open the output of forecasts; it has its final name when it is complete.

    A source that was scaled is written as it was stored: bytes for bytes.

    Args:
        out: A file, whose suffix is its kind, or a folder in the kind of the source.
        source: The inputs.
        about: Content of ``prediction.json`` in a folder.
        path: Path of the inputs.

    Raises:
        ConfigError: If the output cannot have this kind.
    """
    suffix = out.suffix.lower()
    if suffix in REFUSED:
        raise ConfigError(
            f"--out {out}: forecasts of frames need an .npy or a folder, or .npz, .nc, .h5, .zarr "
            "or .mp4; choose one"
        )
    if suffix == ".npy":
        with array_file(out, source) as sink:
            yield sink
    elif not isinstance(source, SourceFrames):
        if suffix in (*FILES, ".zarr"):
            raise ConfigError(
                f"--out {out}: forecasts of frames in arrays need an .npy or a folder; for other "
                "kinds state the order of the axes with --axes"
            )
        with answer_folder(out, about, source=path) as folder:
            yield frame_files(folder, source)
    elif suffix in (*FILES, ".zarr"):
        if not source.is_single:
            raise ConfigError(
                f"--out {out}: the input has {len(source.names)} sequences, each of which becomes "
                "a file; choose a folder"
            )
        yield _writer(source, lambda _: out)
    else:
        with answer_folder(out, about, source=path) as folder:
            ending = suffix_like(source.source)
            if ending in ARRAYS:
                yield frame_files(folder, source)
                return
            yield _writer(source, lambda name: folder / f"{name}{ending}", is_folder=not ending)
            if source.is_single and not ending:
                for file in list((folder / source.names[0]).iterdir()):
                    file.rename(folder / file.name)
                (folder / source.names[0]).rmdir()


def _writer(
    source: SourceFrames, place: Callable[[str], Path], *, is_folder: bool = False
) -> BatchSink:
    """Return a sink that writes each sequence to a path of its own."""

    def sink(names: list[str], forecast: Frames) -> None:
        for name, frames in zip(names, forecast, strict=True):
            number, final = source.names.index(name), place(name)
            # the name of a folder may have a point, which would be read as a suffix
            path = final.with_name(IN_PROGRESS) if is_folder else final
            write_like(
                source.source,
                path,
                frames * np.float32(source.divisor),
                continue_times(source.source.sequences[number].times, len(frames)),
                sequence=number,
                part=source.part,
                replace=True,
            )
            if is_folder:
                path.rename(final)

    return sink
