"""Decoded videos as arrays on disk, which readers map into memory."""

import hashlib
import json
import os
import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file, atomic_write
from openstl_ext.datasets.formats.npy import map_numbers
from openstl_ext.errors import DataError
from openstl_ext.json_file import read_json
from openstl_ext.progress_line import tracked

VERSION = 2
"""Part of every key; increase it when decoding changes."""

KEY_LENGTH = 16

Decode = Callable[[], NDArray[np.uint8]]


class FrameCache:
    """Folder with one array per video, decoded at most once.

    A file name contains the name of the video and a hash of sizes and times of its source files:
    a changed source gets a new file, and the old one is removed. A record beside each array has
    its shape and checksum; an array that is not the one that was written is decoded again. Several
    processes may fill one cache at the same time; each starts at another video and skips those
    that are finished.

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
        missing = [at for at, path in enumerate(paths) if not _is_as_written(path)]
        # ranks have consecutive process ids: each starts a seventh of the list after the one before
        turn = os.getpid() * (len(missing) // 7 + 1) % max(1, len(missing))
        for at in tracked(missing[turn:] + missing[:turn], "decoding", "videos"):
            if not _is_as_written(paths[at]):
                self._write(paths[at], videos[at][2]())
        return paths

    def _write(self, path: Path, frames: NDArray[np.uint8]) -> None:
        try:
            with atomic_file(path) as file:  # two processes may decode one video
                np.save(file, frames)
            _write_record(path, zlib.crc32(np.ascontiguousarray(frames).data))
        except OSError as error:
            raise DataError(
                f"{self.folder}: decoded frames cannot be written ({error}); use another folder "
                "with `cache_dir=`, or free space"
            ) from error
        stem = path.name[: -KEY_LENGTH - len("-.npy")]
        for other in self.folder.iterdir():
            is_of_video = re.fullmatch(rf"{re.escape(stem)}-[0-9a-f]{{{KEY_LENGTH}}}", other.stem)
            if is_of_video and other.stem != path.stem:
                other.unlink(missing_ok=True)  # decoded from an older source


class CacheRecord(msgspec.Struct, forbid_unknown_fields=True):
    """Content of the ``.json`` beside an array: what was written.

    Args:
        shape: Frames, height and width.
        crc32: Checksum of the values.
        num_bytes: Size of the file.
        changed_ns: Time of its last change.
    """

    shape: tuple[int, int, int]
    crc32: int
    num_bytes: int
    changed_ns: int


def _is_as_written(path: Path) -> bool:
    """Return whether an array is the one that was decoded; if its time differs, it is compared."""
    record = path.with_suffix(".json")
    if not path.is_file() or not record.is_file():
        return False
    try:
        written, status = read_json(record, CacheRecord), path.stat()
        if status.st_size != written.num_bytes:
            return False
        if status.st_mtime_ns == written.changed_ns:
            return True
        frames = map_video(path)  # a copied folder has other times
    except DataError:
        return False
    if frames.shape != written.shape or zlib.crc32(frames.data) != written.crc32:
        return False
    _write_record(path, written.crc32)
    return True


def _write_record(path: Path, crc32: int) -> None:
    status, shape = path.stat(), map_video(path).shape
    record = {"shape": shape, "crc32": crc32}
    record |= {"num_bytes": status.st_size, "changed_ns": status.st_mtime_ns}
    atomic_write(path.with_suffix(".json"), json.dumps(record).encode())


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
