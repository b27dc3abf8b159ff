"""Mark folders with synthetic data in the format of real ones."""

from dataclasses import replace
from pathlib import Path

from openstl_ext.atomic_io import atomic_write
from openstl_ext.structures import Metainfo

MARK = "SYNTHETIC.txt"
TEXT = (
    "The files in this folder are synthetic. They have the format of {name}, so that code can be\n"
    "tried without it, and nothing else in common with it: scores on them are not scores on\n"
    "{name}. Datasets that read this folder are marked as synthetic.\n"
)


def mark(root: Path, name: str) -> None:
    """Mark a folder; call it before writing synthetic files."""
    atomic_write(root / MARK, TEXT.format(name=name).encode())


def is_marked(root: Path) -> bool:
    """Return whether a folder is marked as synthetic."""
    return (root / MARK).is_file()


def described(metainfo: Metainfo, root: Path) -> Metainfo:
    """Return the metainfo, marked as synthetic if the folder is."""
    return replace(metainfo, synthetic=True) if is_marked(root) else metainfo
