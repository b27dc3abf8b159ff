"""The list of the checkpoints of a run, and its reconstruction from the files."""

import contextlib
import functools
import hashlib
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from openstl_ext.atomic_io import PART, atomic_write, sha256_of
from openstl_ext.checkpoint_file import read_file
from openstl_ext.errors import CheckpointError, DataError
from openstl_ext.json_file import read_json

FOLDER = "checkpoints"
MANIFEST = "manifest.json"
PATTERN = r"(?:best_)?(epoch|iter)_([0-9]{1,12})\.pth"
"""Names of checkpoints; other files in the folder are neither read nor removed."""
LATEST = "latest.pth"
"""Another name of the newest resumable checkpoint, as simvp_minimal has it."""
TEMPORARY = rf"(?:{PATTERN}|manifest\.json|latest\.pth|\.[0-9a-f]+-[0-9a-f]+){re.escape(PART)}"

Count = Annotated[int, msgspec.Meta(ge=0)]

logger = logging.getLogger(__name__)


class Entry(
    msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Entry of the manifest.

    Attributes:
        file: Name without a folder, so that a work directory can be moved.
        kind: ``resume`` for a complete state, ``best`` for weights only, ``lost`` for a best
            checkpoint that was found damaged.
        epoch: Epoch of the last iteration, counted from 1; it may be incomplete.
        iteration: Number of iterations done.
        sha256: Checksum of the file.
        size: Bytes of the file; 0 in manifests of earlier versions.
        metric: Score that chose a ``best`` checkpoint.
        value: Value of that score.
        rule: Whether the best value is the ``less`` or the ``greater`` one.
    """

    file: Annotated[str, msgspec.Meta(pattern=rf"^{PATTERN}\Z")]
    kind: Literal["resume", "best", "lost"]
    epoch: Count
    iteration: Count
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")] = ""
    size: Count = 0
    metric: str | None = None
    value: float | None = None
    rule: Literal["less", "greater"] | None = None

    @property
    def score(self) -> str:
        """The score that chose the checkpoint, for a message."""
        return f"{self.metric} {self.value:g}" if self.value is not None else "unknown score"

    def is_improved_by(self, value: float | None) -> bool:
        """Return whether a value is better than that of this entry."""
        if self.value is None or value is None or self.rule is None:
            return False
        return value < self.value if self.rule == "less" else value > self.value


class Manifest(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Content of ``manifest.json``.

    Attributes:
        checkpoints: All entries, newest first.
        finished: Number of iterations after which the training was complete and validated.
        sha256: Checksum of the other fields; empty in manifests of earlier versions.
    """

    checkpoints: list[Entry]
    finished: Count | None = None
    sha256: str = ""

    @property
    def best(self) -> Entry | None:
        """The newest entry of a best checkpoint."""
        return next((e for e in self.checkpoints if e.kind == "best"), None)

    @property
    def lost(self) -> Entry | None:
        """The entry of a best checkpoint that was found damaged."""
        return next((e for e in self.checkpoints if e.kind == "lost"), None)

    def digest(self) -> str:
        """Return the checksum of all fields but the checksum."""
        content = (self.checkpoints, self.finished)
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def checkpoint_folder(folder: Path | str) -> Path:
    """Return the folder of checkpoints of a work directory, or the argument if it is one."""
    folder = Path(folder)
    return folder if folder.name == FOLDER else folder / FOLDER


def checkpoint_files(folder: Path | str) -> list[Path]:
    """Return the files of a work directory that have the name of a checkpoint."""
    folder = checkpoint_folder(folder)
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if re.fullmatch(PATTERN, path.name))


def holds_run(folder: Path | str) -> bool:
    """Return whether a work directory has checkpoints, listed or not."""
    return bool(checkpoint_files(folder) or read_manifest(folder))


def read_manifest(folder: Path | str) -> list[Entry]:
    """Return the entries of the manifest, newest first; see ``load_manifest``."""
    return load_manifest(folder).checkpoints


def load_manifest(folder: Path | str) -> Manifest:
    """Return the manifest of a work directory; one that is lost or damaged is made of the files.

    A manifest with an entry that this package does not write, such as a name with a folder, counts
    as damaged.
    """
    folder = checkpoint_folder(folder)
    manifest = _stored(folder)
    if isinstance(manifest, Manifest):
        return manifest
    entries = [entry for path in checkpoint_files(folder) if (entry := _entry_of(path))]
    _warn_once(f"{manifest}; it is rebuilt from the {len(entries)} intact checkpoints beside it")
    return Manifest(ordered(entries))


def _stored(folder: Path) -> Manifest | str:
    """Return the manifest as it is stored, or why it cannot be used."""
    path = folder / MANIFEST
    if not path.exists():
        return f"{path} is missing" if checkpoint_files(folder) else Manifest([])
    try:
        manifest = read_json(path, Manifest)
    except DataError as error:
        return f"{error}"
    if manifest.sha256 and manifest.sha256 != manifest.digest():
        return f"{path} is damaged: its checksum differs"
    return manifest


def write_manifest(
    folder: Path | str, entries: list[Entry], *, finished: int | None = None
) -> None:
    """Replace the manifest, newest entry first."""
    manifest = Manifest(ordered(entries), finished)
    manifest.sha256 = manifest.digest()
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    atomic_write(checkpoint_folder(folder) / MANIFEST, text + b"\n")
    _link_latest(checkpoint_folder(folder), manifest.checkpoints)


def _link_latest(folder: Path, entries: list[Entry]) -> None:
    """Give the newest resumable checkpoint its second name, where the file system can.

    It is a hard link, which takes no space and works on Windows too. Elsewhere, as on FAT, there is
    no such file, and ``resolved`` finds the checkpoint by the manifest.
    """
    newest = next((entry.file for entry in entries if entry.kind == "resume"), None)
    if newest is None:
        return
    path, part = folder / LATEST, folder / f"{LATEST}{PART}"
    try:
        if path.exists() and path.samefile(folder / newest):
            return
        part.unlink(missing_ok=True)
        os.link(folder / newest, part)
        part.replace(path)
    except OSError:  # an older file of this name would be taken for the newest one
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def resolved(path: Path) -> Path:
    """Return the file that the manifest lists as the newest, for ``checkpoints/latest.pth``.

    Any other path is returned as it is; the suffix may be left out.
    """
    if path.name not in (LATEST, Path(LATEST).stem) or path.parent.name != FOLDER:
        return path
    entries = read_manifest(path.parent)
    return next((path.parent / e.file for e in entries if e.kind == "resume"), path)


def ordered(entries: list[Entry]) -> list[Entry]:
    """Return entries from the newest to the oldest."""
    return sorted(entries, key=lambda entry: (-entry.iteration, entry.kind != "resume"))


def tidy(folder: Path | str) -> None:
    """Store a rebuilt manifest, and remove the partial files of writers that were killed.

    Only the process that has the work directory for itself may call it.
    """
    folder = checkpoint_folder(folder)
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if re.fullmatch(TEMPORARY, path.name):
            path.unlink(missing_ok=True)
    if not isinstance(_stored(folder), Manifest):
        write_manifest(folder, read_manifest(folder))


def remove_unlisted(folder: Path, entries: list[Entry], now: Entry) -> None:
    """Remove checkpoints up to a place that are not listed: a killed save has left them.

    Those of later places are of the same run, which was resumed from an earlier one. They are
    replaced when it comes there.
    """
    listed = {entry.file for entry in entries}
    for path in checkpoint_files(folder):
        unit, number = re.fullmatch(PATTERN, path.name).groups()  # type: ignore[union-attr]
        if path.name not in listed and int(number) <= place_in(now, unit):
            path.unlink(missing_ok=True)


def place_in(entry: Entry, unit: str) -> int:
    """Return the place of an entry in ``epoch`` or ``iter``."""
    return entry.epoch if unit == "epoch" else entry.iteration


def is_intact(path: Path, entry: Entry) -> bool:
    """Return whether a file has the size and the checksum of its entry."""
    if not path.is_file() or (entry.size and path.stat().st_size != entry.size):
        return False
    return sha256_of(path) == entry.sha256


def _entry_of(path: Path) -> Entry | None:
    """Return the entry of a checkpoint file from its content; None if it is damaged."""
    try:
        state = read_file(path)
        facts = dict(state["meta"].get("entry") or _facts_of_earlier(state))
        found = {"file": path.name, "sha256": sha256_of(path), "size": path.stat().st_size}
        return msgspec.convert({**facts, **found}, Entry)
    except (CheckpointError, KeyError, TypeError, AttributeError, ValueError) as error:
        _warn_once(f"{path} is passed over: {error}")
        return None


def _facts_of_earlier(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file of an earlier version contains of its entry."""
    kind = "resume" if "optimizer" in state else "best"
    meta = state["meta"]
    return {"kind": kind, "epoch": meta["epoch"] + 1, "iteration": meta["iteration"]}


@functools.cache
def _warn_once(message: str) -> None:
    logger.warning(message)
