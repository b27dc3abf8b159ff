"""Folders of scenes: one folder a class, one image a file."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from openstl_ext.errors import DataError, nearest
from openstl_ext.leftovers import entries

SMARTIES_LISTS = "eval_splits/"
"""Folder of the lists in SMARTIES' repository, kept because some names differ in case only."""


@dataclass(frozen=True, kw_only=True)
class SceneFacts:
    """Published form of a set of scenes.

    Args:
        name: Short name for tables and the command line, such as ``whu_rs19``.
        title: Usual name, for messages.
        folders: Where the folders of the classes may be below the root; the first that exists is
            read.
        classes: Names of the folders, in the order of the class ids.
        suffix: End of the names of the images.
        sensor: Published table of the bands, in the order of the files.
        lists: Names of the split lists by rule, with ``{split}`` in place of the split; the default
            rule first.
        source: Where images and lists are published, for messages.
        order: Order of the spline that resamples an image.
        is_cropped: Whether the shorter side becomes 256/224 of the size and the centre is cut out;
            otherwise the whole image is resampled.
        is_picture: Whether TIFF files are 8-bit RGB pictures, for which rasterio is not needed.
    """

    name: str
    title: str
    folders: tuple[str, ...]
    classes: tuple[str, ...]
    suffix: str
    sensor: str
    lists: Mapping[str, str]
    source: str
    order: int = 3
    is_cropped: bool = True
    is_picture: bool = False

    @property
    def marks(self) -> tuple[tuple[str, ...], ...]:
        """Patterns by which a folder of the set is recognised; see ``Card``."""
        return tuple((f"{folder}/{self.classes[0]}/*{self.suffix}",) for folder in self.folders)

    @property
    def class_words(self) -> tuple[str, ...]:
        """Classes in snake case, as in the names of scores."""
        return tuple(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in self.classes)


@dataclass(frozen=True)
class Scene:
    """One image of a set.

    Args:
        path: Its file.
        label: Its class id.
        id: Name that is unique in the set: the class and the number.
    """

    path: Path = field(repr=False)
    label: int
    id: str


class SceneFolders:
    """Images of a set by name.

    Args:
        root: Folder of the set.
        facts: Its published form.

    Raises:
        DataError: If there are no folders of classes.
    """

    def __init__(self, root: Path, facts: SceneFacts) -> None:
        self.root, self.facts = root, facts
        places = [root / folder for folder in facts.folders]
        known = set(facts.classes)
        found = [p for p in places if p.is_dir() and known & {e.name for e in entries(p)}]
        if not found:
            raise DataError(
                f"{root}: no images of {facts.title}, such as "
                f"{facts.folders[0]}/{facts.classes[0]}/*{facts.suffix}; unpack those of "
                f"{facts.source} there, or correct the root"
            )
        self.folder = found[0]
        self._by_stem: dict[str, list[Scene]] = {}
        for label, name in enumerate(facts.classes):
            for scene in self._of_class(label, name):
                self._by_stem.setdefault(stem_of(scene.path.name), []).append(scene)

    def _of_class(self, label: int, name: str) -> list[Scene]:
        folder = self.folder / name
        if not folder.is_dir():
            return []
        # a set has tens of thousands of files; of hidden ones, macOS writes ._River_1.tif
        names = (n for n in os.listdir(folder) if n.lower().endswith(self.facts.suffix))
        shown = sorted(n for n in names if not n.startswith("."))
        return [Scene(folder / n, label, unique_name(name, stem_of(n))) for n in shown]

    @property
    def scenes(self) -> list[Scene]:
        """All images, by class and name.

        Raises:
            DataError: If a folder is not that of a class.
        """
        known = (*self.facts.classes, SMARTIES_LISTS.rstrip("/"))
        for path in entries(self.folder):
            if path.is_dir() and path.name not in known:
                raise DataError(
                    f"{path}: {path.name!r} is no class of {self.facts.title}; "
                    f"{nearest(path.name, self.facts.classes)} Rename or remove the folder"
                )
        found = [scene for named in self._by_stem.values() for scene in named]
        return sorted(found, key=lambda scene: (scene.label, scene.id))

    def find(self, line: str) -> Scene:
        """Return the image that a line of a split list names.

        Args:
            line: Name of a file, perhaps below the folder of its class (``./River/River_1.tif``).
                Its ending is not compared: lists of the RGB version of a set have ``.jpg``.

        Raises:
            DataError: If there is no such image, or no such class.
        """
        *folders, name = line.removeprefix("./").split("/")
        classes = self.facts.classes
        if folders and folders[-1] not in classes:
            raise DataError(
                f"{line!r} is in no class of {self.facts.title}; {nearest(folders[-1], classes)}"
            )
        found = self._by_stem.get(stem_of(name), [])
        if folders:
            found = [scene for scene in found if classes[scene.label] == folders[-1]]
        if len(found) != 1:
            number = "several such files" if found else f"no such file *{self.facts.suffix}"
            raise DataError(f"{line!r}: {self.folder} has {number}")
        return found[0]


def stem_of(name: str) -> str:
    """Return the name of a file without its ending."""
    return name.rpartition(".")[0] or name


def unique_name(class_name: str, stem: str) -> str:
    """Return the name of a file, led by its class where it does not begin with it."""
    if stem.lower().startswith(class_name.lower()):
        return stem
    return f"{class_name}_{stem}"
