"""A mark on folders whose data were made up in the format of the real ones."""

from dataclasses import replace
from pathlib import Path

from openstl_ext.atomic_io import atomic_write
from openstl_ext.structures import Metainfo

MARK = "SYNTHETIC.txt"
TEXT = (
    "The files in this folder are synthetic. They have the format of {name}, so that code can be\n"
    "tried without it, and nothing else in common with it: no score on them says anything about\n"
    "{name}. Datasets that read this folder call themselves synthetic.\n"
)


def mark(root: Path, name: str) -> None:
    """Mark a folder, before anything synthetic is written into it."""
    atomic_write(root / MARK, TEXT.format(name=name).encode())


def is_marked(root: Path) -> bool:
    """Whether a folder holds made-up data."""
    return (root / MARK).is_file()


def described(metainfo: Metainfo, root: Path) -> Metainfo:
    """What a dataset says about itself, given the folder that it reads."""
    return replace(metainfo, synthetic=True) if is_marked(root) else metainfo
