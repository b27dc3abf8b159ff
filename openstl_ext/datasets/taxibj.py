"""TaxiBJ: crowd flow over Beijing."""

from pathlib import Path, PurePosixPath
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_folder
from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.download.checksum import ZIP, Signs
from openstl_ext.datasets.download.extract import unpack
from openstl_ext.datasets.download.remote_file import RemoteFile, find
from openstl_ext.datasets.formats.npy import UNREADABLE, StoredArray
from openstl_ext.datasets.preparation import Preparation
from openstl_ext.datasets.remedies import command_for
from openstl_ext.datasets.synthetic.marker import described
from openstl_ext.datasets.synthetic.taxibj import FILE, ROW, write
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.progress_line import print_status
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo

MAX_WINDOWS = 25_000
"""Largest number of windows; the published file has 20,461."""
SLACK = 1e-4
"""Tolerance for values outside [-1, 1], which come from rounding."""
SLOTS_OF_A_DAY = 48
"""Half hours, each the start of a window."""


@final
@DATASETS.register_module()
class TaxiBJ(SequenceDataset):
    """Four half-hours of taxi flow as input, the next four as target.

    Files:
        ``<root>/dataset.npz`` with X_train, Y_train, X_test, Y_test, each (N, 4, 2, 32, 32). No
        checksum of it is published; each reading verifies the CRC-32 sums in the archive.

    Channels and units:
        Inflow and outflow per cell, stored in [-1, 1] of the training range, returned in [0, 1]
        because published scores are computed there.

    Splits:
        ``test`` is the published one. ``val`` is the last ``val_fraction`` of the published
        training windows, in time order. Published windows overlap, so up to seven windows on each
        side of this boundary may share frames. Published results validate on the test set: for a
        comparable table train with ``val_fraction=0`` and validate with ``split="test"``.

    Licence:
        None is stated; for research. The authors ask to cite Zhang et al., AAAI 2017.

    Args:
        root: Folder of the file.
        split: One of train, val, test.
        val_fraction: Share of the training windows used for validation.

    Raises:
        DatasetNotFoundError: If the file does not exist; the message gives the command that
            fetches it.
        DataError: If the file is damaged or its arrays have another shape or range.

    Source:
        Zhang et al. (arXiv:1610.00081); arrays as prepared by OpenSTL@c74deb5.
    """

    card = Card(
        marks=((FILE,),),
        samples={"train": 20_461, "test": 500},
        shape="8 x 2 x 32 x 32",
        note="val is a part of the 20,461 windows for training.",
    )
    channels = (Channel("inflow", "0-1"), Channel("outflow", "0-1"))
    metainfo = Metainfo(name="taxibj", channels=channels, lead=(30, "min"))
    flag_refusals = {
        "frames_in": "the published windows have 4 input frames",
        "frames_out": "the published windows have 4 target frames",
        "size": "the published maps are 32 x 32",
    }

    def __init__(self, *, root: str = "data/taxibj", split: str, val_fraction: float = 0.1) -> None:
        self.split = self.check_split(split)
        self.part = "test" if split == "test" else "train"
        self.val_fraction = val_fraction
        path = Path(root) / FILE
        prepare = command_for("taxibj", root)
        if not path.is_file():
            raise DatasetNotFoundError(path, prepare=prepare)
        try:
            # one at a time, because the array of all windows is released before the next
            self.past, self.future = (self._window(path, side) for side in "XY")
        except UNREADABLE as error:
            raise DataError(f"{path}: {error}; delete it and run `{prepare}` again") from error
        if len(self.past) != len(self.future):
            raise DataError(
                f"{path}: {len(self.past)} input and {len(self.future)} target windows in the "
                f"{split} split, expected as many; delete it and run `{prepare}` again"
            )
        self.metainfo = described(self.metainfo, Path(root))

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write a small synthetic set in the true format."""
        write(root, num_train=30, num_test=6)

    def _window(self, path: Path, side: str) -> NDArray[np.float32]:
        """Copy the windows of the split, and check their shape and range."""
        name = f"{side}_{self.part}"
        stored = StoredArray(path, name)
        if (
            stored.shape[1:] != ROW
            or stored.shape[0] > MAX_WINDOWS
            or stored.dtype.kind not in "fiu"
        ):
            expected = ", ".join(map(str, ROW))
            raise DataError(
                f"{name} has shape {stored.shape}, expected (N, {expected}) with N up to "
                f"{MAX_WINDOWS:,}, and real numbers; its type is {stored.dtype}"
            )
        values = stored.read()
        window = self.split_window(len(values), self.split, self.val_fraction)
        if window.start == window.stop:
            raise ConfigError(
                f"val_fraction={self.val_fraction} of {len(values)} windows leaves the "
                f"{self.split} split empty"
            )
        self.start = window.start
        copy = np.array(values[window], np.float32)
        if not (largest := np.abs(copy).max()) <= 1 + SLACK:  # also true for NaN
            raise DataError(f"{name} reaches {largest:g}, expected values in [-1, 1]")
        if 0 <= values.min() < largest:
            raise DataError(
                f"{name} lies in {values.min():g} to {largest:g}, so it was scaled to [0, 1] "
                "already, expected values in [-1, 1]; write 2 * x - 1, or fetch the published file"
            )
        return copy

    def __len__(self) -> int:
        return len(self.past)

    def __getitem__(self, index: int) -> Item:
        past, future = (torch.from_numpy(a[index]) for a in (self.past, self.future))
        return {
            "inputs": {"frames": (past + 1) / 2},
            "data_samples": {"frames": (future + 1) / 2},
        }

    def sample_id(self, index: int) -> str:
        """Return array and row: unique in the dataset, because train and val share an array."""
        return f"{self.part}-{self.start + index:05d}"

    def block_id(self, index: int) -> str:
        """Return a day of windows: windows are in order of time and overlap."""
        return f"{self.part}-{(self.start + index) // SLOTS_OF_A_DAY:04d}"


ARRAYS = RemoteFile(name=FILE, mirrors=(), checksum=Signs(ZIP), max_bytes=6_000_000_000)
ARCHIVE = RemoteFile(
    name="taxibj_dataset.zip",
    mirrors=(
        "https://github.com/chengtan9907/OpenSTL/releases/download/v0.1.0/taxibj_dataset.zip",
    ),
    checksum=Signs(ZIP),
    max_bytes=6_000_000_000,
)


def fetch(root: Path, source: Path | None, form: str | None) -> None:
    """Get the arrays, unpack them from the zip if necessary, and read every split."""
    del form
    if (root / FILE).is_file() or (source is not None and _has(source, FILE)):
        ARRAYS.obtain(root, source=source)
    else:
        archive = ARCHIVE.obtain(root, source=source, copy=False)
        with atomic_folder(root / "unpacked") as folder:
            count = unpack(archive, folder, place=_place, max_bytes=ARCHIVE.max_bytes)
            if count != 1:
                raise DataError(f"{archive}: has no {FILE}; delete it and fetch it again")
        (root / "unpacked" / FILE).replace(root / FILE)
        (root / "unpacked").rmdir()
        if archive.parent == root:
            archive.unlink()
    for split in ("train", "val", "test"):
        print_status(f"  {split}: {len(TaxiBJ(root=str(root), split=split))} windows")


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
    dataset="TaxiBJ",
    fetch=fetch,
    miniature=_miniature,
    bytes_needed=4_000_000_000,
)
