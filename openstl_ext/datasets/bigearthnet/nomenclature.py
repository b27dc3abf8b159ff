"""Nomenclature of BigEarthNet: 43 labels or CORINE codes, and the 19 classes."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from openstl_ext.errors import DataError, nearest
from openstl_ext.json_file import read_json

TABLE = Path(__file__).with_name("nomenclature.json")
NO_CLASS = "patches_with_no_19_class_targets.csv"
"""Published list of the patches of version 1 without any of the 19 classes."""


class Nomenclature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of ``nomenclature.json``.

    Args:
        about: Description and source.
        classes: The 19 classes, in the order of their ids.
        labels: Class of each of the 43 labels of version 1; None where it belongs to none.
        corine: Class of each code of CORINE Land Cover in the maps of version 2.
    """

    about: str
    classes: list[str]
    labels: dict[str, str | None]
    corine: dict[str, str]


@cache
def nomenclature() -> Nomenclature:
    """Read the table."""
    return read_json(TABLE, Nomenclature)


def class_words() -> tuple[str, ...]:
    """Return the 19 classes in snake case, as in the names of scores."""
    return tuple(re.sub(r"\W+", "_", name.lower()) for name in nomenclature().classes)


def class_ids(labels: Sequence[str], place: str) -> tuple[int, ...]:
    """Return the ids of the classes of a patch, ascending.

    Args:
        labels: Names of the 43 labels or of the 19 classes. Labels without a class are dropped.
        place: File and patch, for the message.

    Raises:
        DataError: If a label is unknown, or none has a class.
    """
    ids = _ids()
    for label in labels:
        if label not in ids:
            raise DataError(f"{place}: {label!r} is no label of BigEarthNet; {nearest(label, ids)}")
    found = sorted({number for label in labels if (number := ids[label]) is not None})
    if not found:
        raise DataError(
            f"{place}: none of its labels ({'; '.join(labels)}) is in one of the 19 classes; leave "
            f"such patches out with removal_lists=[{NO_CLASS!r}]"
        )
    return tuple(found)


@cache
def _ids() -> dict[str, int | None]:
    """Return the id of every name; names that both nomenclatures have mean the same."""
    table = nomenclature()
    ids = {name: i for i, name in enumerate(table.classes)}
    return {
        **{label: None if name is None else ids[name] for label, name in table.labels.items()},
        **ids,
    }


def map_labels(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Convert a map of CORINE codes to class ids.

    Codes without a class, such as those of roads, airports, burnt areas and unclassified land, are
    not valid.

    Args:
        codes: Codes of CORINE Land Cover, level 3; NaN where there is no data.

    Shape:
        - codes, returns: (H, W); ids int64, 0 where not valid, and valid bool.
    """
    table = nomenclature()
    ids = {name: i for i, name in enumerate(table.classes)}
    labels = np.zeros(codes.shape, np.int64)
    valid = np.zeros(codes.shape, bool)
    for code, name in table.corine.items():
        here = codes == int(code)
        labels[here], valid = ids[name], valid | here
    return labels, valid
