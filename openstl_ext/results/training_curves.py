"""Losses and validation scores of trainings over their epochs, from the lines that a run logs."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from openstl_ext.errors import DataError, UserError, nearest
from openstl_ext.json_file import read_json

SCALARS = "scalars.jsonl"
NOT_SCORES = {"step", "phase", "lr", "data_time", "time", "memory", "loss"}
AT_EPOCH = re.compile(r"(?:best_)?epoch_(\d+)\.pth")
"""Names of checkpoints at the end of an epoch."""
SKIP = ("saved", "checkpoints", ".")
"""Prefixes of folders without a log, which may have a million frames."""


@dataclass(frozen=True)
class Training:
    """What one run logged.

    Args:
        folder: Folder of the run.
        per_epoch: Iterations of an epoch; None where the run states none, as one that is counted in
            iterations.
        entries: Lines in order: ``step``, ``phase`` and numbers.
    """

    folder: Path
    per_epoch: int | None
    entries: tuple[Mapping[str, Any], ...]

    @property
    def scores(self) -> list[str]:
        """Names of the validation scores."""
        found = (k for e in self.entries if e.get("phase") == "val" for k in e)
        return [name for name in dict.fromkeys(found) if name not in NOT_SCORES]

    def points(self, name: str, *, epochs: bool) -> list[tuple[float, float]]:
        """Return the values of a score by epoch or iteration; NaN where a value is not finite.

        The loss of the training is the mean over each epoch.

        Args:
            name: ``loss``, or a validation score.
            epochs: Whether to count epochs.
        """
        phase = "train" if name == "loss" else "val"
        values: dict[float, list[float]] = {}
        for entry in self.entries:
            if entry.get("phase") == phase and name in entry:
                at = float(entry["step"])
                if epochs and self.per_epoch:
                    at = at / self.per_epoch
                    at = float(math.ceil(at - 1e-9)) if phase == "train" else at
                value = entry[name]
                values.setdefault(at, []).append(math.nan if value is None else float(value))
        return [(at, math.fsum(v) / len(v)) for at, v in sorted(values.items())]


def trainings_below(folders: Iterable[Path | str]) -> list[Training]:
    """Read every run below some folders.

    Raises:
        UserError: If a folder does not exist or no run is below it.
        DataError: If a log is damaged.
    """
    found: dict[Path, Training] = {}
    for folder in map(Path, folders):
        if not folder.exists():
            raise UserError(f"{folder} does not exist; runs are written below work_dirs/")
        here = [path for path in sorted(folder.rglob(SCALARS)) if not _is_skipped(path, folder)]
        if not here:
            raise UserError(f"no {SCALARS} below {folder}; `openstl-ext train CONFIG` writes one")
        for path in here:
            found.setdefault(path.resolve(), _read(path))
    return list(found.values())


def names_of(trainings: Sequence[Training]) -> list[str]:
    """Return a short name of each run: the config and seed of its folder, or the whole path."""
    parts = [training.folder.absolute().parts for training in trainings]
    short = [
        f"{'/'.join(p[-3:-1])}, {p[-1].replace('_', ' ')}" if p[-1].startswith("seed_") else p[-1]
        for p in parts
    ]
    return [
        name if short.count(name) == 1 else str(training.folder)
        for name, training in zip(short, trainings, strict=True)
    ]


def shown_scores(trainings: Sequence[Training], wanted: Sequence[str], most: int = 2) -> list[str]:
    """Return the scores to draw: those wanted, else the first overall ones.

    Raises:
        UserError: If no run has a score; the message has the nearest name.
    """
    known = list(dict.fromkeys(name for t in trainings for name in t.scores))
    for name in wanted:
        if name not in known:
            raise UserError(f"no run validates {name!r}; {nearest(name, known)}")
    overall = [name for name in known if "@" not in name and "[" not in name]
    return list(wanted) or overall[:most]


def _is_skipped(path: Path, folder: Path) -> bool:
    return any(part.startswith(SKIP) for part in path.relative_to(folder).parts[:-1])


def _read(path: Path) -> Training:
    entries = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            entry = json.loads(line)
            entries.append({**entry, "step": int(entry["step"])})
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"{path}: line {number} is not an entry of a log: {error}") from None
    if not entries:
        raise DataError(f"{path} is empty; the run logged nothing yet")
    return Training(path.parent, _iterations_of_epoch(path.parent), tuple(entries))


class _Entry(msgspec.Struct):
    """What is read of a checkpoint of a manifest."""

    file: str
    iteration: int | None = None


class _Manifest(msgspec.Struct):
    """What is read of a manifest."""

    checkpoints: list[_Entry] = []


def _iterations_of_epoch(folder: Path) -> int | None:
    """Return the iterations of an epoch, from a checkpoint at the end of one."""
    path = folder / "checkpoints/manifest.json"
    if not path.is_file():
        return None
    for entry in read_json(path, _Manifest, advice="train again").checkpoints:
        found = AT_EPOCH.fullmatch(entry.file)
        if found and entry.iteration and int(found[1]):
            return entry.iteration // int(found[1])
    return None
