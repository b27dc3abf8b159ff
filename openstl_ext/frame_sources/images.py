"""Pictures in folders: a folder of folders has a sequence in each, a folder is one sequence."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from openstl_ext.errors import DataError, nearest
from openstl_ext.frame_sources.source import FrameSequence, FrameSource, ReadOptions
from openstl_ext.leftovers import entries
from openstl_ext.structures import Channel

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
FORMATS = ("PNG", "JPEG", "BMP")
BANDS = {
    "1": ("grey",),
    "L": ("grey",),
    "I;16": ("grey",),
    "RGB": ("red", "green", "blue"),
    "LA": ("grey", "alpha"),
    "RGBA": ("red", "green", "blue", "alpha"),
}
"""Channels of each mode of Pillow that is read; others, such as palettes, are not intensities."""
LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in grey, of ITU-R BT.601, as in Pillow and OpenCV."""


@dataclass(frozen=True)
class Kind:
    """Mode and size of a picture."""

    mode: str
    size: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.size[0]} x {self.size[1]} pixels ({self.mode})"


def opens(path: Path) -> bool:
    """Return whether a folder has pictures, directly or in its folders."""
    return path.is_dir() and (bool(_pictures(path)) or bool(_folders(path)))


def open(path: Path, options: ReadOptions) -> FrameSource:
    """Open the pictures of a folder, or of its folders.

    Channels:
        grey, or red, green and blue. Transparent pictures need ``options.channels``: a choice of
        red, green, blue, alpha.

    Raises:
        DataError: If pictures differ in size or mode, or are damaged, or a folder has both
            pictures and folders of pictures; the message names the files.
    """
    return ImageFolders(path, options)


class ImageFolders:
    """Sequences of pictures, sorted by the numbers in their names."""

    def __init__(self, root: Path, options: ReadOptions) -> None:
        here, below = _pictures(root), _folders(root)
        if here and below:
            raise DataError(
                f"{root}: has pictures ({here[0].name}, ...) beside folders of pictures "
                f"({below[0].name}, ...); move the pictures into a folder of their own"
            )
        folders = below or [root]
        self._files = [_pictures(folder)[:: options.every] for folder in folders]
        self._kind = _common_kind(self._files)
        bands = _bands(self._kind.mode, root)
        self._grey = options.grey and len(bands) > 2
        self._picked, names = _channels(bands, options, root)
        unit = options.unit or "1"
        self.channels = tuple(Channel(name, unit) for name in names)
        self.size = self._kind.size
        self.dtype: np.dtype[Any] = np.dtype("u2" if self._kind.mode == "I;16" else "u1")
        self._nodata = options.nodata
        self.sequences = tuple(
            FrameSequence(name=folder.name if below else root.resolve().name, num_frames=len(files))
            for folder, files in zip(folders, self._files, strict=True)
        )

    def read(self, sequence: int, start: int, stop: int) -> NDArray[Any]:
        """Read consecutive pictures of a folder, (T, C, H, W)."""
        return np.stack([self._frame(path) for path in self._files[sequence][start:stop]])

    def frame_files(self, sequence: int) -> list[Path]:
        """Return the pictures of a sequence."""
        return list(self._files[sequence])

    def _frame(self, path: Path) -> NDArray[Any]:
        try:
            with Image.open(path, formats=FORMATS) as image:
                mode = image.mode
                pixels = np.asarray(image.convert("L") if mode == "1" else image)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(f"{path}: damaged picture ({error}); replace or delete it") from error
        if (mode, pixels.shape[:2]) != (self._kind.mode, self.size):
            raise DataError(f"{path}: has changed since it was opened; start again")
        planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
        if self._grey:
            planes = np.rint(np.tensordot(LUMA, planes[:3], 1))[None].astype(self.dtype)
        frame = planes[self._picked].astype(self.dtype)
        if self._nodata is None:
            return frame
        return np.where(frame == self._nodata, np.float32("nan"), frame.astype(np.float32))


def natural_key(path: Path) -> list[tuple[int, int | str]]:
    """Return a key that sorts ``frame2.png`` before ``frame10.png``."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def _pictures(folder: Path) -> list[Path]:
    found = [p for p in entries(folder) if p.suffix.lower() in SUFFIXES and p.is_file()]
    return sorted(found, key=natural_key)


def _folders(root: Path) -> list[Path]:
    return sorted((p for p in entries(root) if p.is_dir() and _pictures(p)), key=natural_key)


def _kind_of(path: Path) -> Kind:
    """Return mode and size (H, W) of a picture from its header."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return Kind(image.mode, image.size[::-1])
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{path}: not a readable picture ({error}); replace or delete it"
        ) from error


def _common_kind(files: list[list[Path]]) -> Kind:
    """Return the mode and the size that all pictures have, after reading their headers."""
    first = files[0][0]
    expected = _kind_of(first)
    for path in (path for sequence in files for path in sequence):
        if (found := _kind_of(path)) != expected:
            raise DataError(
                f"{path}: {found}, but {first} has {expected}; all pictures of a source must have "
                "one size and one mode: convert them, or import the folders separately"
            )
    return expected


def _bands(mode: str, root: Path) -> tuple[str, ...]:
    if mode not in BANDS:
        raise DataError(
            f"{root}: its pictures have the mode {mode}; save them as grey or RGB, for example "
            "with Pillow: image.convert('RGB')"
        )
    return BANDS[mode]


def _channels(
    bands: tuple[str, ...], options: ReadOptions, root: Path
) -> tuple[list[int], tuple[str, ...]]:
    """Return the indices of the channels that are used, and their names."""
    if options.grey:
        bands = ("grey",)
    given = options.channels
    if given is None:
        if "alpha" in bands:
            colours = ",".join(bands[:-1])
            raise DataError(
                f"{root}: its pictures have transparency; leave it out with --channels {colours}, "
                f"or keep it with --channels {','.join(bands)}"
            )
        return list(range(len(bands))), bands
    if not given or (unknown := [name for name in given if name not in bands]):
        raise DataError(
            f"{root}: its pictures have no channel {unknown[0] if given else ''!r}; "
            f"{nearest(unknown[0] if given else '', bands)}"
        )
    return [bands.index(name) for name in given], given
