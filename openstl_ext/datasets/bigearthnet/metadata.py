"""Metadata of BigEarthNet, version 2: names, split and labels of all patches in one file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from openstl_ext.datasets.bigearthnet.lists import read_removals
from openstl_ext.datasets.bigearthnet.nomenclature import class_ids
from openstl_ext.datasets.bigearthnet.patches import Patch, check_pair
from openstl_ext.errors import DataError, UserError
from openstl_ext.json_file import read_json

PARQUET, JSON = "metadata.parquet", "metadata.json"
SPLIT_NAMES = {"train": "train", "validation": "val", "test": "test"}
"""Our name of each value of the column ``split``."""


class Row(msgspec.Struct, frozen=True):
    """Columns that are used, of one patch; the file has others."""

    patch_id: str
    s1_name: str
    split: str
    labels: list[str]


def read_patches(root: Path, split: str, removal_lists: Sequence[str]) -> list[Patch]:
    """Read the patches of a split, in the order of the file.

    Args:
        root: Folder with ``metadata.parquet``, or with ``metadata.json``, a list of objects with
            the same columns, which needs no other library.
        split: One of train, val, test.
        removal_lists: Files below the root, each with names of Sentinel-2 patches to leave out.

    Raises:
        UserError: If the file is a parquet and pyarrow is not installed.
        DataError: If the file is missing, lacks a column or has an unknown split or label, a patch
            twice, a pair of two places, or no patch of the split.
    """
    path = root / (JSON if (root / JSON).is_file() else PARQUET)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; fetch it from zenodo.org/records/10891137")
    rows = read_json(path, list[Row]) if path.name == JSON else _read_parquet(path)
    example = rows[0].patch_id if rows else ""
    removed = read_removals([root / name for name in removal_lists], example)
    seen: set[str] = set()
    patches = []
    for row in rows:
        if row.patch_id in seen:
            raise DataError(f"{path}: {row.patch_id} is in two rows; fetch the file again")
        seen.add(row.patch_id)
        if row.split not in SPLIT_NAMES:
            raise DataError(
                f"{path}: {row.patch_id} has the split {row.split!r}, expected one of "
                f"{', '.join(SPLIT_NAMES)}"
            )
        if SPLIT_NAMES[row.split] == split and row.patch_id not in removed:
            check_pair(row.patch_id, row.s1_name, path)
            classes = class_ids(row.labels, f"{path}: {row.patch_id}")
            patches.append(Patch(row.patch_id, row.s1_name, classes))
    if not patches:
        raise DataError(f"{path}: has no patch of the split {split}; fetch the file again")
    return patches


def _read_parquet(path: Path) -> list[Row]:
    columns = list(Row.__struct_fields__)
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UserError(
            f"{path} needs pyarrow ({error}): pip install pyarrow, or write {JSON} beside it where "
            f"pandas is: pandas.read_parquet({PARQUET!r})[{columns}].to_json({JSON!r}, "
            "orient='records')"
        ) from None
    try:
        table: Any = pyarrow.parquet.read_table(path, columns=columns)
        return msgspec.convert(table.to_pylist(), list[Row])
    except (pyarrow.ArrowException, OSError, msgspec.ValidationError) as error:
        raise DataError(
            f"{path}: cannot be read as the columns {', '.join(columns)}: {error}"
        ) from None
