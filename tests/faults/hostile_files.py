"""Files of strangers that try to run code, to fill the memory or to reach out of their folder."""

import json
import os
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.datasets.download.extract import unpack
from openstl_ext.datasets.formats import loaders_file
from openstl_ext.datasets.formats.frame_file import frame_shape, read_frame
from openstl_ext.datasets.formats.idx import read_idx_images
from openstl_ext.datasets.formats.packed import Pack
from openstl_ext.datasets.formats.safe_pickle import read_plain_pickle
from openstl_ext.datasets.formats.video import read_avi, read_jpegs
from openstl_ext.errors import UserError
from openstl_ext.json_file import read_json
from openstl_ext.prediction.sequences import open_sequences
from tests.faults import hostile_cases as cases
from tests.faults.hostile_cases import SECRET, TRACE, Files, Write
from tests.faults.row import Row

Read = Callable[[Path], Any]

LIMIT = 64 << 20
"""Bytes that a refused file may take; the bombs unpack to 300 MB and more."""


class NoEffectError(UserError):
    """A hostile file was read as if it were a right one."""


def read_loaders(path: Path) -> list[np.ndarray]:
    """Read all frames of a loader file, as the dataset does."""
    found, errors = [], []
    for split in ("train", "val", "test"):
        try:
            for sample in loaders_file.read(path, split):
                found += [read_frame(loaders_file.resolve(frame, path.parent)) for frame in sample]
        except UserError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    return found


def extract(path: Path) -> int:
    """Unpack everything, as the prepare tools do."""
    folder = path.parent / "unpacked"
    return unpack(path, folder, place=str, max_bytes=200 << 20, max_members=1000)


def read_film(path: Path) -> None:
    """Read a film; OpenCV takes the size of the frames from the frames, whatever the header says.

    Raises:
        NoEffectError: If the frames are those of the right film.
    """
    if read_avi(path).shape == (4, 120, 160):
        raise NoEffectError("read as it should be")


def refused(write: Write, reads: list[Read], name: str) -> str | None:
    """Write a file and read it; return why it was not refused as it should be.

    Args:
        write: Writes the file.
        reads: Functions that may read such a file; each must refuse it.
        name: Name of the file.
    """
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "data")
        (Path(home, SECRET) / "s").mkdir(parents=True)
        np.save(Path(home, SECRET) / "s" / "0.npy", np.ones((4, 4)))
        folder.mkdir()
        write(folder / name)
        os.chdir(folder)
        try:
            for read in reads:
                tracemalloc.start()
                try:
                    read(folder / name)
                    return "it was read"
                except UserError:
                    pass
                except BaseException as error:
                    return f"{type(error).__name__}: {error}"
                finally:
                    peak = tracemalloc.get_traced_memory()[1]
                    tracemalloc.stop()
                if peak > LIMIT:
                    return f"{peak >> 20} MB were taken"
        finally:
            os.chdir(here)
        left = {p.relative_to(home).parts[0] for p in Path(home).rglob("*")} - {"data", SECRET}
        if left or Path(home, "data", TRACE).exists() or "antigravity" in sys.modules:
            return f"it left {left or TRACE}"
    return None


def read_pack(path: Path) -> Pack:
    """Open a packed form of one frame."""
    index = {"shape": [1, 1, 1, 4, 4], "crc32": 0, "frames": ["0"], "samples": ["s"], "stamps": {}}
    (path.parent / "packed.json").write_text(json.dumps(index))
    return Pack(path.parent)


def families(folder: Path) -> dict[str, tuple[Files, list[Read], str]]:
    """Return hostile files, their readers and the name of the file, by class.

    Args:
        folder: An empty folder for right files, of which hostile ones are made.
    """
    mapped = (case for case in cases.arrays() if case[0] != "sparse")  # a map takes no memory
    json_readers: list[Read] = [
        lambda path: read_json(path, dict[str, float]),
        lambda path: loaders_file.read(path, "train"),
    ]
    return {
        "pickles": (cases.pickles(), [read_plain_pickle], "stats.pkl"),
        ".npy": (cases.arrays(), [read_frame, frame_shape], "0.npy"),
        ".npy, mapped": (mapped, [read_pack, open_sequences], "packed.npy"),
        ".npz": (cases.archives(), [read_frame, frame_shape], "0.npz"),
        "gzipped IDX": (cases.idx_files(), [read_idx_images], "a.gz"),
        "JSON": (cases.texts(), json_readers, "x_loaders.json"),
        "JPEG": (cases.jpegs(), [lambda path: read_jpegs([path])], "image_0001.jpg"),
        "AVI": (cases.films(folder), [read_film], "a.avi"),
        "zip": (cases.zips(), [extract], "a.zip"),
        "loader files": (cases.loader_files(), [read_loaders], "x_loaders.json"),
    }


def rows(share: int = 1) -> Iterator[Row]:
    """Yield a row for each class of hostile files.

    Args:
        share: Only every n-th file.
    """
    with tempfile.TemporaryDirectory() as folder:
        for kind, (files, reads, name) in families(Path(folder)).items():
            count, lost = 0, []
            for number, (label, write) in enumerate(files):
                if number % share:
                    continue
                count += 1
                if problem := refused(write, reads, name):
                    lost.append(f"{label}: {problem}")
            note = "; ".join(lost[:3]) or f"refused with at most {LIMIT >> 20} MB, nothing run"
            yield Row(f"hostile files: {kind}", count, count - len(lost), 0, len(lost), note)
