"""The best checkpoint when a run is resumed: repaired, adopted from another folder, stated anew."""

import shutil
from pathlib import Path
from typing import Any

import msgspec

from openstl_ext.atomic_io import atomic_write_hashed
from openstl_ext.engine.checkpoint import KEEP_ALL, Warn, drop_after, read, save
from openstl_ext.engine.manifest import (
    FOLDER,
    checkpoint_folder,
    is_intact,
    load_manifest,
    read_manifest,
    write_manifest,
)


def settle(
    source: Path,
    folder: Path | str,
    meta: dict[str, Any],
    warn: Warn,
    *,
    iteration: int,
    stated: dict[str, Any] | None,
) -> None:
    """Prepare the checkpoints of a work directory for a run that is resumed in it.

    Args:
        source: The checkpoint that is resumed, maybe of another work directory.
        folder: Work directory of the run.
        meta: Metadata of the checkpoint.
        warn: Called with a message for each loss.
        iteration: Number of iterations done; later checkpoints are dropped.
        stated: The training, if the run was extended; see ``state.stated``.
    """
    repair_best(folder, warn)
    adopt_best(source, folder, meta, warn)
    drop_after(folder, iteration)
    if stated is not None:
        restate_best(folder, stated)


def repair_best(folder: Path | str, warn: Warn) -> None:
    """Restore a damaged best checkpoint from the complete state of the same iteration.

    Without that state, its entry is marked as lost, and the next validation chooses a new one.
    """
    manifest, folder = load_manifest(folder), checkpoint_folder(folder)
    entry = manifest.best
    if entry is None or is_intact(folder / entry.file, entry):
        return
    others = [e for e in manifest.checkpoints if e is not entry]
    for twin in others:
        is_twin = twin.kind == "resume" and twin.iteration == entry.iteration
        if is_twin and is_intact(folder / twin.file, twin):
            save(read(folder / twin.file), folder, entry, keep=KEEP_ALL)
            warn(f"{folder / entry.file} was damaged; it is restored from {twin.file}")
            return
    write_manifest(folder, [*others, msgspec.structs.replace(entry, kind="lost")])
    warn(
        f"{folder / entry.file} ({entry.score}) is damaged and cannot be restored; the best "
        "checkpoint is chosen again among the next validations, and a test reports it"
    )


def adopt_best(source: Path, folder: Path | str, meta: dict[str, Any], warn: Warn) -> None:
    """Copy the best checkpoint beside a file to the work directory of the run resumed from it.

    Args:
        source: The file, maybe of another work directory.
        folder: Work directory of the run.
        meta: Metadata of the file.
        warn: Called if the file was saved beside a best checkpoint that is no longer there.
    """
    folder, beside = checkpoint_folder(folder), source.resolve().parent
    if load_manifest(folder).best is not None or not meta.get("best"):
        return
    entry = load_manifest(beside).best if beside.name == FOLDER else None
    if entry is None or not is_intact(beside / entry.file, entry):
        warn(
            f"the best checkpoint so far is not beside {source}, so the best of this run is chosen "
            "among its next validations"
        )
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (beside / entry.file).open("rb") as file:
        atomic_write_hashed(folder / entry.file, lambda copy: shutil.copyfileobj(file, copy))
    write_manifest(folder, [*read_manifest(folder), entry])


def restate_best(folder: Path | str, stated: dict[str, Any]) -> None:
    """Store the best checkpoint with the training of a run that was extended.

    It is written under another name first, so that a kill at any moment leaves a file that is
    listed with its checksum.

    Args:
        folder: Work directory.
        stated: Part of the metadata; see ``state.stated``.
    """
    folder = checkpoint_folder(folder)
    entry = load_manifest(folder).best
    if entry is None:  # there is none yet, or it is lost
        return
    content = read(folder / entry.file)
    content["meta"] = {**content["meta"], **stated}
    names = {f"best_iter_{entry.iteration}.pth", f"best_epoch_{entry.epoch}.pth"} - {entry.file}
    for name in (names.pop(), entry.file):
        save(content, folder, msgspec.structs.replace(entry, file=name), keep=KEEP_ALL)
