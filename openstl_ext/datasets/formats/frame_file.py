"""One file per frame: ``<sample>/<t>.npy``, or ``<sample>/<t>.npz`` with the array ``data``."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import PART
from openstl_ext.datasets.formats.npy import UNREADABLE
from openstl_ext.errors import DataError

SUFFIXES = (".npy", ".npz")
KEY = "data"


def frame_error(path: Path, problem: str) -> DataError:
    """Return the error for a bad frame, with its file and sample."""
    return DataError(f"{path} (sample {path.parent.name}): {problem}")


def sample_folders(root: Path) -> list[Path]:
    """List the folders of samples by name, without hidden and incomplete ones."""
    found = (p for p in root.iterdir() if not p.name.startswith(".") and p.suffix != PART)
    return sorted(p for p in found if p.is_dir())


def list_frames(folder: Path) -> list[Path]:
    """List the frame files of a sample in the order of their numbers: 10 comes after 9.

    Args:
        folder: Folder of the sample. The numbers may start anywhere and be zero-padded; files
            other than arrays are ignored.

    Raises:
        DataError: If there is no frame, a name is not a number, or a number is missing or doubled.
    """
    paths = [p for p in folder.iterdir() if p.suffix in SUFFIXES and not p.name.startswith(".")]
    if not paths:
        raise DataError(f"{folder}: this sample has no frames (0.npy, 1.npy, ...)")
    for path in paths:
        if not (path.stem.isascii() and path.stem.isdigit()):
            raise frame_error(path, "the name is not a number such as 0.npy; rename or remove it")
    paths.sort(key=lambda path: (int(path.stem), path.name))
    for path, following in pairwise(paths):
        number = int(path.stem)
        if int(following.stem) == number:
            raise frame_error(following, f"same number as {path.name}; remove one of them")
        if int(following.stem) > number + 1:
            missing = path.with_stem(str(number + 1))
            raise frame_error(missing, f"this frame is missing, but {following.name} exists")
    return paths


def frame_shape(path: Path) -> tuple[int, int, int]:
    """Return the shape (C, H, W) of a frame; of a .npy only the header is read.

    Raises:
        DataError: If the file is unreadable or truncated, or does not hold a frame.
    """
    shape: tuple[int, int, int] = _load(path, mapped=True).shape
    return shape


def read_frame(path: Path, *, finite: bool = True) -> NDArray[np.float32]:
    """Read a frame (C, H, W) of any real number type as float32.

    Args:
        path: The file.
        finite: Whether to reject a frame with missing values, as training does.

    Raises:
        DataError: If the file is unreadable, truncated or pickled, or a value is not finite.
    """
    frame = _load(path, mapped=False).astype(np.float32)
    if finite and not np.isfinite(frame).all():
        bad = int(frame.size - np.isfinite(frame).sum())
        raise frame_error(path, f"{bad} of {frame.size} values are NaN or infinite")
    return frame


def _load(path: Path, *, mapped: bool) -> NDArray[Any]:
    """Load a frame as (C, H, W): axes before H and W are channels, and (H, W) has one."""
    try:
        if path.suffix == ".npz":
            with path.open("rb") as file:  # np.load does not close a damaged archive
                array = np.load(file)[KEY]
        else:
            array = np.load(path, mmap_mode="r" if mapped else None)
    except UNREADABLE as error:
        reason = "this frame is missing" if isinstance(error, FileNotFoundError) else error
        raise frame_error(path, f"not a readable array: {reason}") from error
    if array.dtype.kind not in "fiub" or array.ndim < 2 or not array.size:
        raise frame_error(
            path, f"{array.dtype} {array.shape}, expected real numbers (H, W) or (C, H, W)"
        )
    *channels, height, width = array.shape
    return array.reshape(math.prod(channels), height, width)
