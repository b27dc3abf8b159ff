"""All samples of a folder in one array, which readers map into memory."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, final

import msgspec
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.formats.frame_file import (
    frame_error,
    list_frames,
    read_frame,
    sample_folders,
)
from openstl_ext.datasets.formats.npy import map_numbers
from openstl_ext.errors import DataError
from openstl_ext.frame_rules import FrameRules
from openstl_ext.json_file import read_json
from openstl_ext.leftovers import entries
from openstl_ext.progress_line import tracked

ARRAY = "packed.npy"
INDEX = "packed.json"
DTYPE = np.dtype("<f4")


class PackIndex(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Content of ``packed.json``.

    Args:
        shape: (N, T, C, H, W) of the array.
        crc32: Checksum of its values.
        frames: Names of the T frames, without suffix.
        samples: Names of the N samples.
        stamps: Names, sizes and times of the packed files, as a hash for each sample.
    """

    shape: tuple[int, int, int, int, int]
    crc32: int
    frames: list[str]
    samples: list[str]
    stamps: dict[str, str]


@final
class Pack:
    """The packed form of a folder, opened for reading.

    Each process maps the array at its first read, so an instance may be pickled and forked.

    Args:
        root: Folder with ``packed.npy``, float32 (N, T, C, H, W), and ``packed.json``, which names
            its rows (samples) and columns (frames).

    Raises:
        DataError: If a file is unreadable, or the array has another shape than the index states.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        index = read_json(root / INDEX, PackIndex, advice="pack again")
        self.shape: tuple[int, ...] = index.shape
        self.crc32, self.stamps = index.crc32, index.stamps
        self.rows = {name: row for row, name in enumerate(index.samples)}
        self.columns = {frame: column for column, frame in enumerate(index.frames)}
        self._array: NDArray[np.float32] | None = None
        found = map_numbers(root / ARRAY, advice="pack again").shape
        if not found == self.shape == (len(self.rows), len(self.columns), *self.shape[2:]):
            raise DataError(f"{root / ARRAY}: shape {found} differs from {INDEX}; pack again")

    @classmethod
    def exists(cls, root: Path) -> bool:
        """Return whether a folder has a complete packed form; the index is written last."""
        return (root / INDEX).is_file()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_array": None}

    @property
    def array(self) -> NDArray[np.float32]:
        """The array (N, T, C, H, W), mapped and read-only."""
        if self._array is None:
            self._array = map_numbers(self.root / ARRAY, advice="pack again")
        return self._array

    def is_intact(self) -> bool:
        """Compare the checksum of all values with that of the index."""
        check = 0
        for sample in self.array:
            check = zlib.crc32(sample.data, check)
        return check == self.crc32

    def locate(self, folder: str, frames: Sequence[str]) -> tuple[int, list[int]] | None:
        """Return row of a sample and columns of its frames; None if they are not packed.

        Args:
            folder: Name of the sample.
            frames: Names of the frames, without suffix.
        """
        try:
            return self.rows[folder], [self.columns[frame] for frame in frames]
        except KeyError:
            return None

    def agrees_with(self, folder: Path, row: int, columns: Sequence[int]) -> bool:
        """Return whether a sample's folder has the frames that are packed.

        Equal sizes and times are sufficient. If they differ, as after a copy, the values are
        compared.

        Raises:
            DataError: If a frame to compare is unreadable.
        """
        if stamp(folder) == self.stamps.get(folder.name):
            return True
        paths = {path.stem: path for path in list_frames(folder)}
        for frame, column in self.columns.items():
            if column in columns:
                path = paths.get(frame)
                if path is None or not np.array_equal(read_frame(path), self.array[row, column]):
                    return False
        return True


def stamp(folder: Path) -> str:
    """Hash names, sizes and times of a sample's files, without reading them."""
    files = sorted((p.name, p.stat()) for p in entries(folder))
    lines = (f"{name} {status.st_size} {status.st_mtime_ns}" for name, status in files)
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def write_pack(
    root: Path,
    blocks: Iterable[tuple[Sequence[str], NDArray[np.float32]]],
    *,
    shape: tuple[int, ...],
    frames: Sequence[str],
) -> None:
    """Write the packed form atomically, the index last.

    Args:
        root: Folder to write to. It may have the folders of the samples, whose sizes and times
            are stored.
        blocks: Names of some samples and their values (n, T, C, H, W), N samples in all.
        shape: (N, T, C, H, W) of the array.
        frames: Names of the T frames, without suffix.
    """
    names: list[str] = []
    check = 0
    with atomic_file(root / INDEX) as index_file, atomic_file(root / ARRAY) as file:
        header = {"descr": npy.dtype_to_descr(DTYPE), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)
        for some, values in blocks:
            names.extend(some)
            data = np.ascontiguousarray(values, dtype=DTYPE).data
            check = zlib.crc32(data, check)
            file.write(data)  # not through a mapping: a full disk would be a SIGBUS
        folders = {name: root / name for name in names if (root / name).is_dir()}
        index = {
            "shape": shape,
            "crc32": check,
            "frames": list(frames),
            "samples": names,
            "stamps": {name: stamp(folder) for name, folder in folders.items()},
        }
        index_file.write(json.dumps(index, indent=1).encode())
        for each in (index_file, file):
            each.flush()  # a full disk is met while the old pair is there
        (root / INDEX).unlink(missing_ok=True)  # the old index must not describe the new array


def pack_folders(root: Path) -> Pack:
    """Pack the sample folders of a root; every frame is read and checked.

    Raises:
        DataError: If a frame is bad, or samples differ in the names or the shape of their frames.
    """
    folders = sample_folders(root) if root.is_dir() else []
    if not folders:
        raise DataError(f"{root}: no sample folders to pack (<sample>/0.npy, ...)")
    listed = [(folder, list_frames(folder)) for folder in folders]
    frames = [path.stem for path in listed[0][1]]
    for folder, paths in listed:
        if [path.stem for path in paths] != frames:
            raise DataError(
                f"{folder}: {len(paths)} frames from {paths[0].name} to {paths[-1].name}, where "
                f"{listed[0][0].name} has {len(frames)}; all samples of a pack need the same frames"
            )
    shape, rules = read_frame(listed[0][1][0]).shape, FrameRules()

    def read() -> Iterable[tuple[list[str], NDArray[np.float32]]]:
        for folder, paths in tracked(listed, "packing", "samples"):
            values = [read_frame(path) for path in paths]
            for path, frame in zip(paths, values, strict=True):
                rules.check(frame, place=str(path))
                if frame.shape != shape:
                    raise frame_error(path, f"shape {frame.shape}, the first frame has {shape}")
            yield [folder.name], np.stack(values)[None]

    write_pack(root, read(), shape=(len(listed), len(frames), *shape), frames=frames)
    return Pack(root)
