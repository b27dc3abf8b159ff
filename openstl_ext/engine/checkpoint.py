"""Write and read checkpoint files.

The order is: write a partial file, flush it, rename it, flush the folder; then list it in the
manifest in the same way; then delete checkpoints that are too old. A kill between any two of these
steps loses no listed checkpoint.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, cast

import msgspec
import torch
from torch import Tensor, nn

from openstl_ext.atomic_io import atomic_write_hashed
from openstl_ext.checkpoint_file import read_file
from openstl_ext.engine.finite import reject_non_finite
from openstl_ext.engine.fully_shard import is_share, laid_out
from openstl_ext.engine.manifest import (
    FOLDER,
    Entry,
    Manifest,
    checkpoint_folder,
    holds_run,
    is_intact,
    load_manifest,
    read_manifest,
    remove_unlisted,
    resolved,
    write_manifest,
)
from openstl_ext.errors import CheckpointError, DiskFullError
from openstl_ext.weight_names import fitted, weights_in

KEEP_ALL = -1
BLOCK_BYTES = 4096
"""Unit in which file systems give space to files."""

Warn = Callable[[str], None]


def save(
    state: dict[str, Any],
    folder: Path | str,
    entry: Entry,
    *,
    keep: int,
    parameters: Sequence[str] = (),
) -> Path:
    """Write a checkpoint, list it, then delete checkpoints that are too old.

    Args:
        state: The complete state of the run; of a best checkpoint the weights are stored.
        folder: Work directory.
        entry: Entry of the manifest, without checksum.
        keep: Number of resumable checkpoints to keep; -1 keeps all.
        parameters: Names of the optimiser's parameters, for the message.

    Raises:
        NonFiniteError: If any value of the state is not finite; nothing is written.
        CheckpointError: If it cannot be written; earlier checkpoints are intact.
    """
    reject_non_finite({k: v for k, v in state.items() if k != "meta"}, parameters)
    folder = checkpoint_folder(folder)
    manifest = load_manifest(folder)
    stored = _stored(state, entry, manifest.best)
    path = folder / entry.file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digest = atomic_write_hashed(path, lambda file: torch.save(stored, file))
        new = msgspec.structs.replace(entry, sha256=digest, size=path.stat().st_size)
        entries, old = _pruned([*manifest.checkpoints, new], new, keep)
        write_manifest(folder, entries)
        for name in old:
            (folder / name).unlink(missing_ok=True)
        remove_unlisted(folder, entries, new)
    except DiskFullError as error:
        raise CheckpointError(
            f"{error}. {path.name} and its entry need {needed_bytes(stored, folder):,} bytes; "
            "earlier checkpoints are intact, so continue with --resume"
        ) from error
    except (OSError, RuntimeError) as error:  # torch wraps the errors of a write
        if (cause := _os_error_of(error)) is None:
            raise
        raise CheckpointError(
            f"{path} was not saved: {cause.strerror or cause}; earlier checkpoints are intact, so "
            "check the disk and continue with --resume"
        ) from error
    return path


def _os_error_of(error: BaseException | None) -> OSError | None:
    """Return the OSError that caused an error, if one did."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


def _stored(state: dict[str, Any], entry: Entry, best: Entry | None) -> dict[str, Any]:
    """Return what a file contains: the parts of its kind, and what the manifest lists of it."""
    meta = {**state.get("meta", {}), "entry": facts(entry)}
    if entry.kind == "best":
        return {"meta": meta, "state_dict": state["state_dict"]}
    return {**state, "meta": {**meta, "best": facts(best) if best else None}}


def facts(entry: Entry) -> dict[str, Any]:
    """Return an entry as plain values, without what depends on the bytes of its file."""
    return msgspec.to_builtins(msgspec.structs.replace(entry, sha256="", size=0))


def _pruned(entries: list[Entry], new: Entry, keep: int) -> tuple[list[Entry], set[str]]:
    """Return the entries that stay after a save, and the files of the others."""
    entries = [e for e in entries if e.file != new.file or e is new]
    resumable = sorted((e for e in entries if e.kind == "resume"), key=lambda e: -e.iteration)
    old = set() if keep == KEEP_ALL else {e.file for e in resumable[keep:]}
    if new.kind == "best":
        old |= {e.file for e in entries if e.kind == "best" and e is not new}
        old |= {e.file for e in entries if e.kind == "lost" and e.is_improved_by(new.value)}
    return [e for e in entries if e.file not in old], old


def needed_bytes(state: dict[str, Any], folder: Path) -> int:
    """Return the bytes of the disk that a checkpoint and a manifest take."""
    counter = _CountingFile()
    torch.save(state, cast(IO[bytes], counter))
    manifest = len(msgspec.json.encode(load_manifest(folder))) * 2  # indented, with a new entry
    return sum(-(-size // BLOCK_BYTES) * BLOCK_BYTES for size in (counter.size, manifest))


class _CountingFile:
    """File that counts the written bytes and keeps none."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: Any) -> int:
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing."""


def drop_after(folder: Path | str, iteration: int) -> None:
    """Remove resumable checkpoints later than an iteration from the manifest.

    A run resumed from an earlier one writes them again. Until then they must not count as the
    newest, nor replace those that it writes.
    """
    manifest = load_manifest(folder)
    kept = [e for e in manifest.checkpoints if e.kind != "resume" or e.iteration <= iteration]
    if len(kept) < len(manifest.checkpoints):
        write_manifest(folder, kept)


def mark_finished(folder: Path | str, iteration: int) -> None:
    """Record that the training is complete after an iteration, and validated."""
    write_manifest(folder, read_manifest(folder), finished=iteration)


def is_finished(folder: Path | str, iteration: int) -> bool:
    """Return whether the training is complete after this iteration, and validated."""
    return load_manifest(folder).finished == iteration


def nothing_left(folder: Path | str, iteration: int) -> str:
    """Return the message about a finished training, with its best checkpoint."""
    kept = load_manifest(folder).best or load_manifest(folder).checkpoints[0]
    which = "the best checkpoint is" if kept.kind == "best" else "the last checkpoint is"
    return (
        f"nothing left to do: all {iteration} iterations are done and validated; {which} "
        f"{checkpoint_folder(folder) / kept.file}"
    )


def read(path: Path | str) -> dict[str, Any]:
    """Load a checkpoint on the CPU without running any code from it.

    If the manifest in its folder lists the file, size and checksum are compared first.

    Raises:
        CheckpointError: If it is missing, truncated or changed, or contains other things than
            tensors and plain values.
    """
    path = resolved(Path(path))
    listed = None
    if path.is_file() and path.parent.name == FOLDER:
        listed = next((e for e in read_manifest(path.parent) if e.file == path.name), None)
    try:
        is_damaged = listed is not None and not is_intact(path, listed)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    if is_damaged:
        raise CheckpointError(
            f"{path} is damaged: its SHA-256 differs from the manifest; name another checkpoint, "
            "or continue the training with --resume, which replaces it"
        )
    state = read_file(path, verify=listed is None)
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} contains a {type(state).__name__}, not a checkpoint")
    return state


def read_for(method: nn.Module, path: Path | str) -> dict[str, Any]:
    """Load a checkpoint, with its ``state_dict`` under the names of a method's weights.

    Raises:
        CheckpointError: If it cannot be read, or contains no weights.
    """
    content = read(path)
    weights = fitted(weights_in(content, path), method.state_dict().keys(), path)
    meta = content.get("meta")
    return {**content, "meta": meta if isinstance(meta, dict) else {}, "state_dict": weights}


def to_resume(file: str | None, folder: Path | str, warn: Warn) -> tuple[Path, dict[str, Any]]:
    """Return path and content of a file, or of the newest checkpoint of a work directory."""
    return (Path(file), read(file)) if file else newest(folder, warn)


def newest(folder: Path | str, warn: Warn) -> tuple[Path, dict[str, Any]]:
    """Return path and content of the newest intact resumable checkpoint of a work directory.

    Args:
        folder: Work directory.
        warn: Called with a message for each damaged checkpoint.

    Raises:
        CheckpointError: If there is none, or none is intact.
    """
    candidates = [e.file for e in read_manifest(folder) if e.kind == "resume"]
    for name in candidates:
        path = checkpoint_folder(folder) / name
        try:
            return path, read(path)
        except CheckpointError as error:
            warn(f"{error}; TAKING THE CHECKPOINT BEFORE IT")
    if candidates or holds_run(folder):
        raise CheckpointError(
            f"no checkpoint in {checkpoint_folder(folder)} is intact; "
            "start again with another --work-dir"
        )
    raise CheckpointError(
        f"nothing to resume in {checkpoint_folder(folder)}; leave out --resume to start a new run, "
        "or use --resume auto, which does both"
    )


def processes_of(resume: bool | str, folder: Path | str) -> int | None:
    """Return the number of processes that the run to resume began with, if it can be read.

    The tensors are not read, so this is fast.

    Args:
        resume: True for the newest checkpoint of the folder, or a file.
        folder: Work directory.
    """
    names = [e.file for e in read_manifest(folder) if e.kind == "resume"]
    paths = [Path(resume)] if isinstance(resume, str) else []
    for path in [*paths, *(checkpoint_folder(folder) / name for name in names)]:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            return int(state["meta"]["plan"]["number of processes"])
        except Exception:  # a damaged file is reported when it is loaded
            continue
    return None


def best(folder: Path | str) -> Path:
    """Return the checkpoint with the best validation score.

    Raises:
        CheckpointError: If there is none.
    """
    manifest, folder = load_manifest(folder), checkpoint_folder(folder)
    entry, lost = manifest.best, manifest.lost
    if entry is not None and (folder / entry.file).is_file():
        return folder / entry.file
    if (gone := entry or lost) is not None:
        raise CheckpointError(
            f"the best checkpoint {folder / gone.file} ({gone.score}) is lost; name another "
            "checkpoint, or train again"
        )
    raise CheckpointError(f"no best checkpoint in {folder}; train first, or name a checkpoint file")


def has_best(folder: Path | str) -> bool:
    """Return whether a validation has chosen a best checkpoint, which may be damaged."""
    manifest = load_manifest(folder)
    return manifest.best is not None or manifest.lost is not None


def selection_warning(path: Path | str) -> str:
    """Return a message if a checkpoint is the best only because a better one was damaged."""
    path = Path(path)
    manifest = load_manifest(path.parent) if path.parent.name == FOLDER else Manifest([])
    if manifest.lost is None or manifest.best is None or manifest.best.file != path.name:
        return ""
    return (
        f"{path.name} ({manifest.best.score}) is the best checkpoint that is left: "
        f"{manifest.lost.file} ({manifest.lost.score}) was damaged"
    )


def check_same_run(source: Path, folder: Path | str, meta: dict[str, Any]) -> None:
    """Check that a work directory has no other run than that of a file to resume from.

    Raises:
        CheckpointError: If its newest checkpoint was saved with another plan.
    """
    folder = checkpoint_folder(folder)
    if source.resolve().parent == folder.resolve() or not read_manifest(folder):
        return
    path, own = newest(folder, lambda _: None)
    if own.get("meta", {}).get("plan") != meta["plan"]:
        raise CheckpointError(
            f"{folder.parent} already contains another run ({path.name} has another plan than "
            f"{source}); resume into another --work-dir"
        )


def load_weights(method: nn.Module, weights: dict[str, Tensor], *, strict: bool = True) -> None:
    """Load weights, or report those that do not fit.

    Raises:
        CheckpointError: If, under ``strict``, keys are missing or unexpected; or if shapes or kinds
            of values differ.
    """
    own = method.state_dict()
    missing, unexpected = sorted(own.keys() - weights), sorted(weights.keys() - own)
    both = sorted(own.keys() & weights.keys())
    wrong = [
        f"{k}: {tuple(weights[k].shape)} is not {tuple(own[k].shape)}"
        for k in both
        if own[k].shape != weights[k].shape
    ]
    kinds = [
        f"{k}: {weights[k].dtype} is not {own[k].dtype}"
        for k in both
        if own[k].is_floating_point() != weights[k].is_floating_point()
    ]
    problems = [("wrong shape", wrong), ("wrong type", kinds)]
    problems += [("missing", missing), ("unexpected", unexpected)] if strict else []
    lines = [
        f"{title}: {', '.join(names[:5])}" + (f" and {len(names) - 5} more" * (len(names) > 5))
        for title, names in problems
        if names
    ]
    if lines:
        raise CheckpointError(
            f"the weights do not fit {type(method).__name__}; {'; '.join(lines)}; use the "
            "checkpoint with the config that trained it"
        )
    try:
        method.load_state_dict(
            {k: laid_out(v, own[k]) if is_share(own.get(k)) else v for k, v in weights.items()},
            strict=strict,
        )
    except RuntimeError as error:  # tensors that have no values or another layout
        first = str(error).strip().partition("\n")[0]
        raise CheckpointError(f"the weights cannot be loaded: {first}") from error
