"""All samples of a folder in one array, which readers map into memory."""

import hashlib
import json
import math
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.formats.frame_file import list_frames, read_frame, sample_folders
from openstl_ext.errors import DataError

ARRAY = "packed.npy"
INDEX = "packed.json"
DTYPE = np.dtype("<f4")


@final
class Pack:
    """The packed form of a folder, opened for reading.

    The array is mapped at the first read of each process, so an instance may be pickled and forked.

    Args:
        root: Folder that holds ``packed.npy``, float32 (N, T, C, H, W), and ``packed.json``, which
            names its rows (samples) and columns (frames).

    Raises:
        DataError: If the two do not belong together, or the array is cut off.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            index = json.loads((root / INDEX).read_text())
            names, frames = list(index["samples"]), list(index["frames"])
            self.shape: tuple[int, ...] = tuple(index["shape"])
            self.crc32: int = index["crc32"]
            self.stamps: dict[str, str] = dict(index["stamps"])
            with (root / ARRAY).open("rb") as file:
                npy.read_magic(file)
                shape, _, dtype = npy.read_array_header_1_0(file)
                promised = file.tell() + math.prod(shape) * dtype.itemsize
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{root / INDEX}: the packed form is not readable ({error})") from error
        if (shape, dtype) != (self.shape, DTYPE) or shape[:2] != (len(names), len(frames)):
            raise DataError(f"{root / ARRAY}: {shape} {dtype} is not what {INDEX} describes")
        if (size := (root / ARRAY).stat().st_size) != promised:
            raise DataError(f"{root / ARRAY}: has {size} bytes where its header needs {promised}")
        self.rows = {name: row for row, name in enumerate(names)}
        self.columns = {frame: column for column, frame in enumerate(frames)}
        self._array: NDArray[np.float32] | None = None

    @classmethod
    def exists(cls, root: Path) -> bool:
        """Whether there is a packed form; the index is written last, so it decides."""
        return (root / INDEX).is_file()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_array": None}

    @property
    def array(self) -> NDArray[np.float32]:
        """The whole array (N, T, C, H, W), mapped and read-only."""
        if self._array is None:
            self._array = np.load(self.root / ARRAY, mmap_mode="r").view(np.ndarray)
        return self._array

    def is_intact(self) -> bool:
        """Whether the values are those that were written; reads them all."""
        check = 0
        for sample in self.array:
            check = zlib.crc32(sample.data, check)
        return check == self.crc32

    def locate(self, folder: str, frames: Sequence[str]) -> tuple[int, list[int]] | None:
        """Row of a sample and columns of its frames (names without suffix); None if not packed."""
        try:
            return self.rows[folder], [self.columns[frame] for frame in frames]
        except KeyError:
            return None

    def agrees_with(self, folder: Path, row: int, columns: Sequence[int]) -> bool:
        """Whether a sample's folder still holds what was packed.

        Sizes and times decide where they are as they were; where not, as after a copy, the values
        are compared.

        Raises:
            DataError: If the frames must be read and cannot be.
        """
        if stamp(folder) == self.stamps.get(folder.name):
            return True
        names = {path.stem: path for path in list_frames(folder)}
        for frame, column in self.columns.items():
            if column in columns:
                here = names.get(frame)
                if here is None or not np.array_equal(read_frame(here), self.array[row, column]):
                    return False
        return True


def stamp(folder: Path) -> str:
    """A mark of names, sizes and times of a sample's files, which costs no reading."""
    files = sorted((p.name, p.stat()) for p in folder.iterdir())
    lines = (f"{name} {facts.st_size} {facts.st_mtime_ns}" for name, facts in files)
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def write_pack(
    root: Path,
    blocks: Iterable[tuple[Sequence[str], NDArray[np.float32]]],
    *,
    shape: tuple[int, ...],
    frames: Sequence[str],
) -> None:
    """Write the packed form, the index last, each whole or not at all.

    Args:
        root: Where it goes. Folders of the samples that lie there are remembered with it.
        blocks: Names of some samples and their values, (n, T, C, H, W), until there are N.
        shape: (N, T, C, H, W) of the whole.
        frames: Names of the T frames, without suffix.
    """
    (root / INDEX).unlink(missing_ok=True)  # from here on there is no pack until the new one
    names: list[str] = []
    check = 0
    with atomic_file(root / ARRAY) as file:
        header = {"descr": npy.dtype_to_descr(DTYPE), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)
        for some, values in blocks:
            names.extend(some)
            data = np.ascontiguousarray(values, dtype=DTYPE).data
            check = zlib.crc32(data, check)
            file.write(data)  # not through a mapping: a full disk would be a SIGBUS
    if len(names) != shape[0]:
        raise DataError(f"{root / ARRAY}: {len(names)} samples where {shape[0]} were promised")
    folders = {name: root / name for name in names if (root / name).is_dir()}
    index = {
        "shape": shape,
        "crc32": check,
        "frames": list(frames),
        "samples": names,
        "stamps": {name: stamp(folder) for name, folder in folders.items()},
    }
    with atomic_file(root / INDEX) as file:
        file.write(json.dumps(index, indent=1).encode())


def pack_folders(root: Path) -> Pack:
    """Pack the sample folders of a root; every frame is read and checked on the way.

    Raises:
        DataError: If a frame is bad, or samples differ in the names or the shape of their frames.
    """
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder to pack")
    listed = [(folder, list_frames(folder)) for folder in sample_folders(root)]
    if not listed:
        raise DataError(f"{root}: there are no sample folders to pack")
    frames = [path.stem for path in listed[0][1]]
    for folder, paths in listed:
        if [path.stem for path in paths] != frames:
            raise DataError(
                f"{folder}: {len(paths)} frames from {paths[0].name} to {paths[-1].name}, where "
                f"{listed[0][0].name} has {len(frames)}; samples of one pack have the same frames"
            )
    shape = read_frame(listed[0][1][0]).shape

    def read() -> Iterable[tuple[list[str], NDArray[np.float32]]]:
        for folder, paths in listed:
            values = [read_frame(path) for path in paths]
            for path, frame in zip(paths, values, strict=True):
                if frame.shape != shape:
                    raise DataError(
                        f"{path} (sample {folder.name}): shape {frame.shape} in a set of {shape}"
                    )
            yield [folder.name], np.stack(values)[None]

    write_pack(root, read(), shape=(len(listed), len(frames), *shape), frames=frames)
    return Pack(root)
