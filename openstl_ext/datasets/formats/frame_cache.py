"""Decoded videos, kept as arrays that are mapped into memory."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.formats.npy import map_npy
from openstl_ext.errors import DataError

VERSION = 1
"""Part of every key; counted up when decoding changes."""

KEY_LENGTH = 16

Decode = Callable[[], NDArray[np.uint8]]


class FrameCache:
    """One array a video, decoded at most once.

    A file is named by its video and by sizes and times of what it was made from, so it is never
    stale: what changes gets another name, and the old file is removed. Processes may fill one
    cache at the same time; each begins elsewhere and skips what another has finished.

    Args:
        folder: Where the arrays lie; made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, videos: Sequence[tuple[str, Sequence[Path], Decode]]) -> list[Path]:
        """Decode what is not there.

        Args:
            videos: Name, source files and decoder of each.

        Returns:
            The array file of each, in the given order.

        Raises:
            DataError: If a source is damaged, or the folder cannot be written.
        """
        paths = [self.folder / f"{name}-{key(sources)}.npy" for name, sources, _ in videos]
        missing = [at for at, path in enumerate(paths) if not path.is_file()]
        # ranks have neighbouring process numbers, and begin a seventh of the way from each other
        turn = os.getpid() * (len(missing) // 7 + 1) % max(1, len(missing))
        for at in missing[turn:] + missing[:turn]:
            if not paths[at].is_file():
                self._write(paths[at], videos[at][2]())
        return paths

    def _write(self, path: Path, frames: NDArray[np.uint8]) -> None:
        own = path.with_name(f"{path.name}.{os.getpid()}")  # two processes may decode one video
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_file(own) as file:
                np.save(file, frames)
            own.replace(path)
        except OSError as error:
            raise DataError(
                f"{self.folder}: decoded frames cannot be written ({error}); name another folder "
                "with `cache_dir=`, or make room"
            ) from error
        stem = path.name[: -KEY_LENGTH - len("-.npy")]
        for other in self.folder.glob(f"{stem}-{'?' * KEY_LENGTH}.npy"):
            if other != path:
                other.unlink(missing_ok=True)  # decoded from what has changed since


def key(sources: Sequence[Path]) -> str:
    """A mark of names, sizes and times of some files, which costs no reading."""
    digest = hashlib.blake2b(str(VERSION).encode(), digest_size=KEY_LENGTH // 2)
    for path in sources:
        facts = path.stat()
        digest.update(f"{path.name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def opened(path: Path) -> NDArray[np.uint8]:
    """The frames (N, H, W) of a cached video, mapped.

    Raises:
        DataError: If the file is not what was written.
    """
    frames = map_npy(path, advice="delete it; it is decoded anew")
    if frames.ndim != 3:
        raise DataError(f"{path}: shape {frames.shape} is no video; delete it")
    return frames
