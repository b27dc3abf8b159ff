"""One frame a file: ``<sample>/<t>.npy``, or ``<sample>/<t>.npz`` with the array ``data``."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from openstl_ext.atomic_io import PART
from openstl_ext.errors import DataError

SUFFIXES = (".npy", ".npz")
KEY = "data"


def blame(path: Path, what: str) -> DataError:
    """The error for a bad frame: which file, which sample, what is wrong."""
    return DataError(f"{path} (sample {path.parent.name}): {what}")


def sample_folders(root: Path) -> list[Path]:
    """Folders of samples, by name; hidden and half-written ones are left out."""
    found = (p for p in root.iterdir() if not p.name.startswith(".") and p.suffix != PART)
    return sorted(p for p in found if p.is_dir())


def list_frames(folder: Path) -> list[Path]:
    """Frame files of a sample in the order of their numbers, so that 10 comes after 9.

    Args:
        folder: Folder of the sample. The numbers may start anywhere and be zero-padded; files that
            are no arrays are left alone.

    Raises:
        DataError: If there is no frame, a name is no number, or a number is missing or doubled.
    """
    numbered: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in SUFFIXES or path.name.startswith("."):
            continue
        if not (path.stem.isascii() and path.stem.isdigit()):
            raise blame(path, "a frame is named by its number, as 0.npy; rename it or move it away")
        if other := numbered.get(int(path.stem)):
            raise blame(path, f"there is already {other.name} with this number")
        numbered[int(path.stem)] = path
    if not numbered:
        raise DataError(f"{folder}: this sample has no frames (0.npy, 1.npy, ...)")
    order = sorted(numbered)
    for here, there in pairwise(order):
        if there != here + 1:
            gap = numbered[here].with_stem(str(here + 1))
            raise blame(gap, f"this frame is missing, yet {numbered[there].name} is there")
    return [numbered[number] for number in order]


def frame_shape(path: Path) -> tuple[int, int, int]:
    """Shape (C, H, W) of a frame, from the file's header alone.

    Raises:
        DataError: If the header is not that of a frame, or the file is shorter than it says.
    """
    with _opened(path) as (stream, size):
        shape, _, dtype = _header(path, stream, size)
    _check_kind(path, dtype)
    return _as_frame(path, shape)


def read_frame(path: Path, *, finite: bool = True) -> NDArray[np.float32]:
    """Values of a frame, (C, H, W); whatever number type was stored becomes float32.

    Args:
        path: The file.
        finite: Whether to refuse a frame with missing values, as training does.

    Raises:
        DataError: If the file is unreadable, cut off or pickled, or a value is not finite.
    """
    with _opened(path) as (stream, size):
        shape, fortran, dtype = _header(path, stream, size)
        _check_kind(path, dtype)
        count = math.prod(shape)
        values = np.frombuffer(stream.read(count * dtype.itemsize), dtype=dtype, count=count)
    values = values.reshape(shape, order="F" if fortran else "C")
    frame = values.reshape(_as_frame(path, shape)).astype(np.float32)
    if finite and not np.isfinite(frame).all():
        bad = int(frame.size - np.isfinite(frame).sum())
        raise blame(path, f"{bad} of {frame.size} values are NaN or infinite")
    return frame


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Stream of the npy data in a file, and its length in bytes."""
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                name = f"{KEY}.npy"
                with archive.open(name) as member:
                    yield member, archive.getinfo(name).file_size
        elif path.suffix == ".npy":
            with path.open("rb") as file:
                yield file, path.stat().st_size
        else:
            raise blame(path, f"frames are {' or '.join(SUFFIXES)} files; convert this one")
    except FileNotFoundError:
        raise blame(path, "this frame is missing") from None
    except KeyError:
        raise blame(path, f"the archive holds no array called {KEY!r}") from None
    except DataError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise blame(path, f"not a readable array: {error}") from error


def _header(path: Path, stream: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = npy.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = npy.read_array_header_2_0(stream)
    else:
        raise blame(path, f"npy version {version} holds records, not a frame")
    if dtype.hasobject:  # reading it would run whatever code the file says
        raise blame(path, "it holds pickled Python objects, which are refused; save numbers")
    if size - stream.tell() < math.prod(shape) * dtype.itemsize:
        raise blame(path, f"cut off: its header promises shape {shape}, {dtype}")
    return shape, fortran, dtype


def _check_kind(path: Path, dtype: np.dtype) -> None:
    if dtype.kind not in "fiub":
        raise blame(path, f"a frame holds real numbers, not {dtype}")


def _as_frame(path: Path, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(H, W) has one channel; whatever stands before H and W counts as channels."""
    if len(shape) < 2 or not math.prod(shape):
        raise blame(path, f"a frame has shape (H, W) or (C, H, W), this one {shape}")
    return math.prod(shape[:-2]), shape[-2], shape[-1]
