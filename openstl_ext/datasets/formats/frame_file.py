"""One file per frame: ``<sample>/<t>.npy``, or ``<sample>/<t>.npz`` with the array ``data``."""

import math
import unicodedata
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.formats.npy import UNREADABLE, StoredArray
from openstl_ext.errors import DataError
from openstl_ext.leftovers import entries

SUFFIXES = (".npy", ".npz")
KEY = "data"
MAX_BYTES = 1 << 30
"""Largest size of a frame in memory."""
MAX_NAME = 200
"""Bytes of the name of a sample: file systems take 255, and suffixes and numbers are added."""


def frame_error(path: Path, problem: str) -> DataError:
    """Return the error for a bad frame, with its file and sample."""
    return DataError(f"{path} (sample {path.parent.name}): {problem}")


def sample_folders(root: Path) -> list[Path]:
    """List the folders of samples by name, without what systems leave behind.

    Raises:
        DataError: If a folder with frames has a name that cannot be kept in loader files and file
            names; it would be left out silently.
    """
    folders = [path for path in entries(root) if path.is_dir()]
    return [path for path in folders if not _is_hidden(path) and check_name(path)]


def check_name(folder: Path) -> bool:
    """Return True if the name of a sample's folder can be kept.

    Raises:
        DataError: If it has a control character or a backslash, is not Unicode, or is too long
            for the names of files that are made of it.
    """
    try:
        length = len(folder.name.encode())
    except UnicodeEncodeError:
        length = 0
    is_plain = all(unicodedata.category(c) not in ("Cc", "Zl", "Zp") for c in folder.name)
    if not 0 < length <= MAX_NAME or not is_plain or "\\" in folder.name:
        raise DataError(
            f"{str(folder)!r}: the name of a sample is one line of Unicode without backslashes, of "
            f"at most {MAX_NAME} bytes; rename the folder"
        )
    return True


def _is_hidden(folder: Path) -> bool:
    """Return whether a folder is hidden.

    Raises:
        DataError: If it is and has frames: it may be a sample.
    """
    if not folder.name.startswith("."):
        return False
    if any(p.suffix.lower() in SUFFIXES and p.stem.isdigit() for p in folder.iterdir()):
        raise DataError(f"{folder}: has frames, but its name begins with a dot; rename or move it")
    return True


def list_frames(folder: Path) -> list[Path]:
    """List the frame files of a sample in the order of their numbers: 10 comes after 9.

    Args:
        folder: Folder of the sample. The numbers may start anywhere and be zero-padded; files
            other than arrays are ignored.

    Raises:
        DataError: If there is no frame, a name is not a number, or a number is missing or doubled.
    """
    paths = [path for path in entries(folder) if path.suffix.lower() in SUFFIXES]
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
    return _as_frame(_open(path).shape)


def read_frame(path: Path, *, finite: bool = True) -> NDArray[np.float32]:
    """Read a frame (C, H, W) of any real number type as float32.

    Args:
        path: The file.
        finite: Whether to reject a frame with missing values, as training does.

    Raises:
        DataError: If the file is unreadable, truncated or pickled, or a value is not finite.
    """
    stored = _open(path)
    try:
        frame = stored.read().astype(np.float32).reshape(_as_frame(stored.shape))
    except UNREADABLE as error:
        raise frame_error(path, f"not a readable array: {error}") from error
    if finite and not np.isfinite(frame).all():
        bad = int(frame.size - np.isfinite(frame).sum())
        raise frame_error(path, f"{bad} of {frame.size} values are NaN or infinite")
    return frame


def _as_frame(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (C, H, W): axes before H and W are channels, and (H, W) has one."""
    *channels, height, width = shape
    return math.prod(channels), height, width


def _open(path: Path) -> StoredArray:
    """Read the header of a frame file."""
    try:
        stored = StoredArray(path, KEY if path.suffix.lower() == ".npz" else None)
    except UNREADABLE as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "this frame is missing" if missing else f"not a readable array: {error}"
        raise frame_error(path, reason) from error
    if stored.dtype.kind not in "fiub" or len(stored.shape) < 2 or not stored.num_bytes:
        raise frame_error(
            path,
            f"{stored.dtype} {stored.shape}, expected real numbers (H, W) or (C, H, W)",
        )
    if stored.num_bytes > MAX_BYTES:
        raise frame_error(path, f"{stored.num_bytes:,} bytes, a frame may have {MAX_BYTES:,}")
    return stored
