"""Output files and folders of predictions."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openstl_ext.atomic_io import atomic_folder
from openstl_ext.errors import ConfigError
from openstl_ext.output_path import check_file, check_folder

ABOUT = "prediction.json"
"""File with the origin of a folder of predictions; a folder with it may be replaced."""
TIFF = (".tif", ".tiff")
FILES = (".npy", ".npz", ".nc", ".h5", ".hdf5", ".mp4", *TIFF)
"""Suffixes of outputs that are one file; every other output is a folder."""


def check_outputs(out: Path, probability: Path | None, sources: Sequence[Path]) -> None:
    """Check the outputs of a prediction before a model is loaded.

    Args:
        out: File or folder.
        probability: Second file, a GeoTIFF.
        sources: Inputs, which must not be replaced; the first are the frames or rasters.

    Raises:
        ConfigError: If an output cannot be written, or would replace an input or other files.
    """
    if out.suffix.lower() in FILES:
        check_file(out, option="--out", sources=sources)
    else:
        check_answer_folder(out, sources[0])
    if probability is not None:
        check_file(probability, option="--probability", suffixes=TIFF, sources=sources)
        if probability.resolve() == out.resolve():
            raise ConfigError("--out and --probability are the same file; choose two names")


def check_answer_folder(path: Path, source: Path) -> None:
    """Check that a folder can be made, or replaced without loss.

    Raises:
        ConfigError: If the path is another file or folder, which is not deleted.
    """
    check_folder(path.parent, option="--out")
    if path.exists() and not (
        path.is_dir() and ((path / ABOUT).is_file() or not any(path.iterdir()))
    ):
        raise ConfigError(
            f"--out {path} exists and does not contain earlier predictions, so it is not replaced; "
            "choose a new folder"
        )
    if path.resolve() in (source.resolve(), *source.resolve().parents):
        raise ConfigError(f"--out {path} contains --input; choose another folder")


@contextmanager
def answer_folder(path: Path, about: dict[str, Any], *, source: Path) -> Iterator[Path]:
    """Create a folder for predictions, renamed to its final name when it is complete.

    Args:
        path: Final name. Only a folder of earlier predictions, or an empty one, is replaced.
        about: Content of ``prediction.json``.
        source: The input, which must not be in the folder.

    Raises:
        ConfigError: If the path is another file or folder, which is not deleted.
    """
    check_answer_folder(path, source)
    with atomic_folder(path) as part:
        yield part
        (part / ABOUT).write_text(json.dumps(about, indent=1) + "\n")
