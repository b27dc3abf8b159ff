"""TaxiBJ, as prepared by OpenSTL."""

from pathlib import Path, PurePosixPath

from openstl_ext.datasets.acquisition.archive import unpack
from openstl_ext.datasets.acquisition.remote_file import RemoteFile, find
from openstl_ext.datasets.miniature.taxibj import FILE, write
from openstl_ext.datasets.preparation.command import Preparation
from openstl_ext.datasets.taxibj import TaxiBJ
from openstl_ext.durable import whole_folder
from openstl_ext.errors import DataError

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
        with whole_folder(root / "unpacked") as folder:
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
