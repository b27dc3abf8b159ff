"""Sets of pairs in a config, and their lists of files."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from openstl_ext.atomic_io import atomic_write
from openstl_ext.datasets.base import SPLITS
from openstl_ext.datasets.remedies import command_for_scenes
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.text_file import read_lines

PREPARE = "openstl-ext data pair-sensors --help"
Names = tuple[str, str]
"""Paths of a pair, relative to the root of its set."""


class PairSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One set of pairs in a config.

    Args:
        name: Short name, one word.
        sensors: Sensors of the first and the second images: names of tables, or paths of JSON
            files.
        root: Folder of the images and of the list, relative to the root of the dataset.
        list_file: Text file with one pair ``first second`` per line; ``{split}`` stands for the
            split. The key of a config is ``list``.
        bands: Names of the bands of both sensors; None for those that a table marks as used.
    """

    name: str
    sensors: tuple[str, str]
    root: str = "."
    list_file: str = msgspec.field(default="{split}.txt", name="list")
    bands: tuple[tuple[str, ...] | None, tuple[str, ...] | None] = (None, None)

    @classmethod
    def of(cls, settings: Mapping[str, Any], place: str) -> "PairSet":
        """Return the set of an entry of a config.

        Args:
            settings: The entry.
            place: Its key, for messages.

        Raises:
            ConfigError: If a key or a value is wrong, or the name cannot be part of a file name.
        """
        try:
            found = msgspec.convert(dict(settings), cls)
        except msgspec.ValidationError as error:
            keys = ", ".join(cls.__struct_encode_fields__)
            raise ConfigError(f"{place}: {error}; the keys of a set are {keys}") from None
        if not re.fullmatch(r"\w{1,16}", found.name, re.ASCII):
            raise ConfigError(
                f"{place}.name: {found.name!r} is no word of up to 16 letters, digits and '_'"
            )
        return found

    def read(self, root: Path, split: str) -> list[Names]:
        """Read the list of a split.

        Raises:
            ConfigError: If there is one list for all splits.
            DatasetNotFoundError: If there is no such list.
            DataError: If a line has not two paths, or a pair occurs twice.
        """
        if "{split}" not in self.list_file and split != "train":
            raise ConfigError(
                f"the set {self.name} has one list, {self.list_file}, which is that of "
                "training; write one for each split and name them with {split}, as in "
                "'pairs_{split}.txt'"
            )
        path = root / self.root / self.list_file.replace("{split}", split)
        if not path.is_file():
            prepare = command_for_scenes(root)
            by_hand = "" if prepare else f"put the images of both sensors into {root} by hand"
            raise DatasetNotFoundError(path, prepare=prepare or PREPARE, by_hand=by_hand)
        pairs: dict[Names, int] = {}
        for number, line in enumerate(read_lines(path), start=1):
            parts = line.split("\t") if "\t" in line else line.split()
            if len(parts) != 2:
                raise DataError(
                    f"{path}: pair {number} has {len(parts)} paths: {line[:120]!r}; write two, "
                    "with a tab between them if they contain blanks"
                )
            pair = (parts[0].strip(), parts[1].strip())
            if pair in pairs:
                raise DataError(
                    f"{path}: pairs {pairs[pair]} and {number} are equal: {pair[0]} {pair[1]}; "
                    "remove one"
                )
            pairs[pair] = number
        if not pairs:
            raise DataError(f"{path}: has no pair")
        return list(pairs)

    def check_others(self, root: Path, split: str, pairs: list[Names]) -> None:
        """Refuse a split of which an image is in the list of another split, too.

        Args:
            root: Root of the dataset.
            split: The split.
            pairs: Its pairs.

        Raises:
            DataError: With both lists and the first image.
        """
        images = {name for pair in pairs for name in pair}
        for other in SPLITS if "{split}" in self.list_file else ():
            path = root / self.root / self.list_file.replace("{split}", other)
            if other == split or not path.is_file():
                continue
            shared = sorted(images & {n for pair in self.read(root, other) for n in pair})
            if shared:
                raise DataError(
                    f"the set {self.name}: the lists of {split} and {other} share {len(shared)} "
                    f"images, such as {shared[0]}; remove the pair from one, {path}"
                )


def write_pair_list(path: Path, pairs: list[Names]) -> None:
    """Write a list of pairs, with a tab between both paths."""
    atomic_write(path, "".join(f"{first}\t{second}\n" for first, second in pairs).encode())
