"""Decoded videos as arrays on disk, which readers map into memory."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.formats.npy import map_numbers
from openstl_ext.errors import DataError

VERSION = 1
"""Part of every key; increase it when decoding changes."""

KEY_LENGTH = 16

Decode = Callable[[], NDArray[np.uint8]]


class FrameCache:
    """Folder with one array per video, decoded at most once.

    A file name contains the name of the video and a hash of sizes and times of its source files:
    a changed source gets a new file, and the old one is removed. Several processes may fill one
    cache at the same time; each starts at another video and skips those that are finished.

    Args:
        folder: Folder of the arrays; created if necessary.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, videos: Sequence[tuple[str, Sequence[Path], Decode]]) -> list[Path]:
        """Decode the videos that are not in the cache.

        Args:
            videos: Name, source files and decoder of each video.

        Returns:
            The array file of each video, in the given order.

        Raises:
            DataError: If a source is damaged, or the folder cannot be written.
        """
        paths = [self.folder / f"{name}-{key(sources)}.npy" for name, sources, _ in videos]
        missing = [at for at, path in enumerate(paths) if not path.is_file()]
        # ranks have consecutive process ids: each starts a seventh of the list after the one before
        turn = os.getpid() * (len(missing) // 7 + 1) % max(1, len(missing))
        for at in missing[turn:] + missing[:turn]:
            if not paths[at].is_file():
                self._write(paths[at], videos[at][2]())
        return paths

    def _write(self, path: Path, frames: NDArray[np.uint8]) -> None:
        try:
            with atomic_file(path) as file:  # two processes may decode one video
                np.save(file, frames)
        except OSError as error:
            raise DataError(
                f"{self.folder}: decoded frames cannot be written ({error}); use another folder "
                "with `cache_dir=`, or free space"
            ) from error
        stem = path.name[: -KEY_LENGTH - len("-.npy")]
        for other in self.folder.glob(f"{stem}-{'?' * KEY_LENGTH}.npy"):
            if other != path:
                other.unlink(missing_ok=True)  # decoded from an older source


def key(sources: Sequence[Path]) -> str:
    """Hash names, sizes and times of some files, without reading them."""
    digest = hashlib.blake2b(str(VERSION).encode(), digest_size=KEY_LENGTH // 2)
    for path in sources:
        status = path.stat()
        digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def map_video(path: Path) -> NDArray[np.uint8]:
    """Map the frames (N, H, W) of a cached video.

    Raises:
        DataError: If the file is unreadable or truncated.
    """
    return map_numbers(path, advice="delete it; the video is decoded again")
