"""Find out which dataset reads a folder."""

import inspect
from collections.abc import Iterable
from pathlib import Path

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.errors import DataError, DatasetNotFoundError, UserError, nearest
from openstl_ext.leftovers import is_leftover
from openstl_ext.registry import DATASETS


def classes_with_marks() -> dict[str, type[SequenceDataset]]:
    """Return the registered datasets that state how their files are recognised, by name."""
    DATASETS.import_from_location()
    known = sorted(DATASETS.module_dict.items())
    return {name: cls for name, cls in known if getattr(cls, "card", None) and cls.card.marks}


def recognise(root: Path, name: str | None = None) -> list[type[SequenceDataset]]:
    """Return the datasets that read a folder, the likeliest first.

    Args:
        root: The folder.
        name: Name of the dataset, if it is known.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        DataError: If no dataset reads it; its notes list what was looked for.
        UserError: If there is no dataset of the name.
    """
    classes = classes_with_marks()
    if name is not None:
        DATASETS.import_from_location()
        if name not in DATASETS.module_dict:
            raise UserError(f"there is no dataset {name!r}; {nearest(name, DATASETS.module_dict)}")
        return [DATASETS.module_dict[name]]
    if not root.is_dir():
        raise DatasetNotFoundError(root, prepare="openstl-ext data --help")
    found = [cls for cls in classes.values() if holds(root, cls.card.marks)]
    published = [cls for cls in found if not cls.card.is_own]
    if not (found := published or found):
        error = DataError(f"{root}: its files are those of no dataset; name the dataset with --as")
        width = max(map(len, classes))
        error.add_note("known datasets, and the files by which they are found:")
        for name, cls in classes.items():
            error.add_note(f"  {name:<{width}}  {wanted(cls)}")
        error.add_note("your own frames: openstl-ext data import, or data split for .npy files")
        raise error
    return found


def holds(root: Path, marks: Iterable[Iterable[str]]) -> bool:
    """Return whether all patterns of one group have a file or folder."""
    return any(all(_exists(root, pattern) for pattern in group) for group in marks)


def wanted(cls: type[SequenceDataset]) -> str:
    """Return the patterns of a dataset in words."""
    return " or ".join(" with ".join(group) for group in cls.card.marks)


def _exists(root: Path, pattern: str) -> bool:
    return any(not is_leftover(path.name) for path in root.glob(pattern))


def required_arguments(cls: type[SequenceDataset]) -> list[str]:
    """Return the arguments without a default, besides root and split."""
    parameters = inspect.signature(cls).parameters.items()
    needed = [name for name, parameter in parameters if parameter.default is parameter.empty]
    return [name for name in needed if name not in ("root", "split")]


def default_root(cls: type[SequenceDataset]) -> Path:
    """Return the folder in which a dataset is by default.

    Raises:
        UserError: If it has none.
    """
    parameter = inspect.signature(cls).parameters.get("root")
    if parameter is None or parameter.default is parameter.empty:
        raise UserError(f"{cls.__name__} has no default folder; name the folder of the data")
    return Path(parameter.default)
