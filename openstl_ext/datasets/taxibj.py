"""TaxiBJ: crowd flow over Beijing."""

from pathlib import Path, PurePosixPath
from typing import final

import numpy as np
import torch

from openstl_ext.atomic_io import atomic_folder
from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.download.extract import unpack
from openstl_ext.datasets.download.remote_file import RemoteFile, find
from openstl_ext.datasets.formats.npz import count_rows, read_rows
from openstl_ext.datasets.preparation import Preparation
from openstl_ext.datasets.synthetic.marker import described
from openstl_ext.datasets.synthetic.taxibj import FILE, ROW, write
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Item, Metainfo

PREPARE = "openstl-ext data taxibj --root {root}"
SLACK = 1e-4
"""How far beyond [-1, 1] rounding may carry a value."""


@final
@DATASETS.register_module()
class TaxiBJ(SequenceDataset):
    """Four half-hours of taxi flow in, the next four out.

    Files:
        ``<root>/dataset.npz`` with X_train, Y_train, X_test, Y_test, each (N, 4, 2, 32, 32). No
        checksum of it is published; the archive's own are verified at every reading.

    Channels and units:
        Inflow and outflow per cell, stored in [-1, 1] of the training range, yielded in [0, 1]
        because that is where published scores are computed.

    Splits:
        ``test`` is the published one. ``val`` is the last ``val_fraction`` of the published
        training windows, in their order. Published results validate on the test set: for a
        like-for-like table train with ``val_fraction=0`` and validate with ``split="test"``.

    Licence:
        None is stated; the authors ask to cite their paper. For research.

    Args:
        root: Folder of the file.
        split: One of train, val, test.
        val_fraction: Share of the training windows kept for validation.

    Raises:
        DatasetNotFoundError: If the file is not there; it gives the command that fetches it.
        DataError: If the file is damaged or holds something else.

    Source:
        Zhang et al. (arXiv:1610.00081); arrays as prepared by OpenSTL@c74deb5.
    """

    metainfo = Metainfo(name="taxibj", channels=("inflow", "outflow"), lead=(30, "min"), unit="0-1")

    def __init__(
        self, *, root: str = "data/taxibj", split: str = "train", val_fraction: float = 0.1
    ) -> None:
        part = "test" if self.check_split(split) == "test" else "train"
        path = Path(root) / FILE
        prepare = PREPARE.format(root=root)
        if not path.is_file():
            raise DatasetNotFoundError(path, prepare=prepare)
        advice = f"delete it and run `{prepare}` again"
        keys = (f"X_{part}", f"Y_{part}")
        length, other = (count_rows(path, key, ROW, advice=advice) for key in keys)
        if length != other:
            raise DataError(f"{path}: {length} of {keys[0]}, {other} of {keys[1]}; {advice}")
        window = self.window(length, split, val_fraction)
        if window.start == window.stop:
            raise ConfigError(
                f"val_fraction {val_fraction} of {length} windows leaves none to the {split} split"
            )
        self.past, self.future = (read_rows(path, key, ROW, window, advice=advice) for key in keys)
        for key, values in zip(keys, (self.past, self.future), strict=True):
            if (largest := float(np.abs(values).max())) > 1 + SLACK:
                raise DataError(
                    f"{path}: {key} reaches {largest:g}, where values in [-1, 1] are expected"
                )
        self.metainfo = described(self.metainfo, Path(root))

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write a small synthetic set in the true format."""
        write(root, num_train=30, num_test=6)

    def __len__(self) -> int:
        return len(self.past)

    def __getitem__(self, index: int) -> Item:
        past, future = (torch.from_numpy(a[index]) for a in (self.past, self.future))
        return {
            "inputs": {"frames": (past + 1) / 2},
            "data_samples": {"frames": (future + 1) / 2},
        }


ARRAYS = RemoteFile(name=FILE, mirrors=(), max_bytes=6_000_000_000)
ARCHIVE = RemoteFile(
    name="taxibj_dataset.zip",
    mirrors=(
        "https://github.com/chengtan9907/OpenSTL/releases/download/v0.1.0/taxibj_dataset.zip",
    ),
    max_bytes=6_000_000_000,
)


def fetch(root: Path, source: Path | None, form: str | None) -> None:
    """Have the arrays, out of the zip if need be, and read every split."""
    del form
    if (root / FILE).is_file() or (source is not None and _has(source, FILE)):
        ARRAYS.obtain(root, source=source)
    else:
        archive = ARCHIVE.obtain(root, source=source, copy=False)
        with atomic_folder(root / "unpacked") as folder:
            count = unpack(archive, folder, place=_place, max_bytes=ARCHIVE.max_bytes)
            if count != 1:
                raise DataError(f"{archive}: holds no {FILE}; delete it and fetch it again")
        (root / "unpacked" / FILE).replace(root / FILE)
        (root / "unpacked").rmdir()
        if archive.parent == root:
            archive.unlink()
    for split in ("train", "val", "test"):
        print(f"  {split}: {len(TaxiBJ(root=str(root), split=split))} windows")


def _has(source: Path, name: str) -> bool:
    try:
        find(source, name)
    except DataError:
        return False
    return True


def _place(name: PurePosixPath) -> str | None:
    return FILE if name.name == FILE else None


def _miniature(root: Path, form: str | None) -> None:
    del form
    write(root)


PREPARATION = Preparation(
    name="TaxiBJ",
    root="data/taxibj",
    licence="none is stated; cite Zhang et al., AAAI 2017; for research",
    fetch=fetch,
    miniature=_miniature,
    bytes_needed=4_000_000_000,
)
