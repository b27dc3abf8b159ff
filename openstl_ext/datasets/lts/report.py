"""Count the contents of a prepared series and check that its splits do not overlap."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np

from openstl_ext.datasets.lts.files import (
    Patches,
    WindowPatches,
    check_statistics,
    forms_in,
    open_patches,
    size_of,
)
from openstl_ext.datasets.lts.statistics import with_data
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.window import Window

NAMED = re.compile(r"r(\d+)_c(\d+)$")
"""Name of a patch with its row and column."""


def verify(root: Path, patch_size: int | None = None, *, ignore_index: int = 255) -> list[str]:
    """Read every patch of every split, count pixels, and compare the splits.

    Args:
        root: Folder of the data.
        patch_size: Side of a patch, in pixels; that of ``stack.json`` if not given.
        ignore_index: Label of unknown pixels.

    Returns:
        A line for each split, and one for the comparison.

    Raises:
        DataError: If a patch is not readable, or two splits share pixels.
    """
    patch_size = size_of(root) if patch_size is None else patch_size
    splits: dict[str, Patches] = {}
    for split in ("train", "val", "test"):
        try:
            splits[split] = open_patches(root, split, patch_size)
        except DatasetNotFoundError:
            if not forms_in(root):
                raise
    if not splits:
        raise DataError(f"{root} contains a series without splits; cut it first")
    facts = next(iter(splits.values())).facts
    check_statistics(root, facts, facts.bands)
    lines = [
        f"{len(facts.years)} years {facts.years[0]}-{facts.years[-1]}{_gaps(facts.years)}; "
        f"bands {', '.join(facts.bands)}; {facts.unit}"
    ]
    seen: dict[str, set[bytes]] = {}
    for split, patches in splits.items():
        line, seen[split] = _summary(root, patches, ignore_index)
        lines.append(f"{split}: {line}")
    for one, other in combinations(splits, 2):
        shared = _shared(splits[one], splits[other], patch_size, seen[one] & seen[other])
        if shared:
            raise DataError(
                f"{root}: {shared} pairs of patches of {one} and {other} share pixels, so scores "
                "would be too good; cut them again"
            )
    lines.append(f"no pixel is shared between {', '.join(splits)}")
    return lines


def _summary(root: Path, patches: Patches, ignore_index: int) -> tuple[str, set[bytes]]:
    """Return a line about a split, and a hash of each of its images."""
    facts = patches.facts
    years, bands = slice(0, len(facts.years)), range(len(facts.bands))
    missing, total, known = 0, 0, np.zeros(len(facts.classes), np.int64)
    by_year = np.zeros(len(facts.years))
    hashes = set()
    indices = tracked(range(len(patches.names)), "verifying", "patches")
    every = (patches.frames(index, years, bands) for index in indices)
    watched = with_data(every, facts.years, root, zero=facts.offset)
    for index, frames in enumerate(watched):
        gaps = np.isnan(frames)
        missing, total = missing + int(gaps.sum()), total + gaps.size
        by_year += gaps.mean(axis=(1, 2, 3)) / len(patches.names)
        labels = patches.labels(index, ignore_index)
        known += np.bincount(labels[labels != ignore_index], minlength=len(known))
        if not gaps.all():  # patches without any observation are equal
            hashes.add(hashlib.sha256(frames.tobytes()).digest())
    worst = int(by_year.argmax())
    shares = ", ".join(
        f"{name} {share:.3%}"
        for name, share in zip(facts.classes, known / max(known.sum(), 1), strict=True)
    )
    line = (
        f"{len(patches.names)} patches; {missing / total:.2%} of the observations are missing, "
        f"most in {facts.years[worst]} ({by_year[worst]:.2%}); {shares}"
    )
    return line, hashes


def _shared(one: Patches, other: Patches, patch_size: int, equal: set[bytes]) -> int:
    """Count pairs that overlap or, where positions are unknown, images that are equal."""
    places = [_places(patches, patch_size) for patches in (one, other)]
    names = len(set(one.names) & set(other.names))
    if places[0] is None or places[1] is None:
        return max(names, len(equal))
    return count_overlaps(places[0], places[1], patch_size)


def _places(patches: Patches, patch_size: int) -> list[Window] | None:
    if isinstance(patches, WindowPatches):
        return patches.windows
    matches = [NAMED.match(name) for name in patches.names]
    if not all(matches):
        return None
    corners = [(int(m[1]), int(m[2])) for m in matches if m]
    return [Window(row, column, patch_size, patch_size) for row, column in corners]


def count_overlaps(one: Iterable[Window], other: Iterable[Window], patch_size: int) -> int:
    """Count the pairs of patches of two splits that share a pixel.

    Args:
        one: Patches of a split.
        other: Patches of another split.
        patch_size: Side of all patches, in pixels.
    """
    cells: Mapping[tuple[int, int], list[Window]] = defaultdict(list)
    for window in one:
        cells[window.row // patch_size, window.column // patch_size].append(window)
    count = 0
    for window in other:
        row, column = window.row // patch_size, window.column // patch_size
        near = [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        count += sum(
            window.meet(found) is not None for cell in near for found in cells.get(cell, ())
        )
    return count


def _gaps(years: tuple[int, ...]) -> str:
    absent = sorted(set(range(years[0], years[-1] + 1)) - set(years))
    return f" without {', '.join(map(str, absent))}" if absent else ""
