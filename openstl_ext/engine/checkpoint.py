"""Write and read checkpoint files and the manifest that lists them with their SHA-256.

The order is: write a partial file, flush it, rename it, flush the folder; then list it in the
manifest in the same way; then delete checkpoints that are too old. A kill between any two of these
steps loses no listed checkpoint.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
import torch
from torch import Tensor, nn

from openstl_ext.atomic_io import PART, atomic_write, atomic_write_hashed, sha256_of
from openstl_ext.errors import CheckpointError, DataError, DiskFullError, NonFiniteError
from openstl_ext.json_file import read_json

FOLDER = "checkpoints"
MANIFEST = "manifest.json"

Warn = Callable[[str], None]


class Entry(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Entry of the manifest.

    Attributes:
        file: Name without a folder, so that a work directory can be moved.
        kind: ``resume`` for a complete state, ``best`` for weights only.
        epoch: Epoch of the last iteration, counted from 1; it may be incomplete.
        iteration: Number of iterations done.
        sha256: Checksum of the file.
        metric: Score that chose a ``best`` checkpoint.
        value: Value of that score.
    """

    file: str
    kind: Literal["resume", "best"]
    epoch: int
    iteration: int
    sha256: str = ""
    metric: str | None = None
    value: float | None = None


class Manifest(msgspec.Struct):
    """Content of ``manifest.json``."""

    checkpoints: list[Entry]


def checkpoint_folder(folder: Path | str) -> Path:
    """Return the folder of checkpoints of a work directory, or the argument if it is one."""
    folder = Path(folder)
    return folder if folder.name == FOLDER else folder / FOLDER


def read_manifest(folder: Path | str) -> list[Entry]:
    """Return the entries of the manifest, newest first; none where there is no manifest.

    Raises:
        CheckpointError: If the manifest cannot be read.
    """
    path = checkpoint_folder(folder) / MANIFEST
    if not path.is_file():
        return []
    advice = "delete it and name the checkpoint: --resume FILE"
    try:
        return read_json(path, Manifest, advice=advice).checkpoints
    except DataError as error:
        raise CheckpointError(str(error)) from None


def write_manifest(folder: Path | str, entries: list[Entry]) -> None:
    """Replace the manifest, newest entry first."""
    entries = sorted(entries, key=lambda entry: -entry.iteration)
    text = msgspec.json.format(msgspec.json.encode(Manifest(entries)), indent=1)
    atomic_write(checkpoint_folder(folder) / MANIFEST, text + b"\n")


def save(state: dict[str, Any], folder: Path | str, entry: Entry, *, keep: int) -> Path:
    """Write a checkpoint, list it, then delete checkpoints that are too old.

    Args:
        state: Tensors and plain values; ``state_dict`` among them.
        folder: Work directory.
        entry: Entry of the manifest, without checksum.
        keep: Number of resumable checkpoints to keep.

    Raises:
        NonFiniteError: If a weight is not finite; nothing is written.
        CheckpointError: If the disk is full; earlier checkpoints are intact.
    """
    reject_non_finite(state["state_dict"])
    folder = checkpoint_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / entry.file
    try:
        digest = atomic_write_hashed(path, lambda file: torch.save(state, file))
    except DiskFullError as error:
        raise CheckpointError(
            f"{error}. {path.name} needs {num_bytes(state):,} bytes; earlier checkpoints are "
            "intact, so continue with --resume"
        ) from error
    entries = [e for e in read_manifest(folder) if e.file != entry.file]
    entries.append(msgspec.structs.replace(entry, sha256=digest))
    resumable = sorted((e for e in entries if e.kind == "resume"), key=lambda e: -e.iteration)
    old = {e.file for e in resumable[keep:]}
    if entry.kind == "best":
        old |= {e.file for e in entries if e.kind == "best"} - {entry.file}
    write_manifest(folder, [e for e in entries if e.file not in old])
    for name in old:
        (folder / name).unlink(missing_ok=True)
    return path


def reject_non_finite(weights: dict[str, Tensor]) -> None:
    """Raise if a weight or buffer is NaN or infinite.

    Raises:
        NonFiniteError: With the first names.
    """
    bad = [k for k, v in weights.items() if v.is_floating_point() and not bool(v.isfinite().all())]
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        raise NonFiniteError(
            f"weights that are not finite were not saved: {', '.join(bad[:3])}{more}; the last "
            "checkpoint is intact; lower the learning rate or clip gradients"
        )


def num_bytes(state: Any) -> int:
    """Return the bytes of all tensors in nested dicts and lists."""
    if isinstance(state, Tensor):
        return state.numel() * state.element_size()
    values = state.values() if isinstance(state, dict) else state
    return sum(map(num_bytes, values)) if isinstance(state, (dict, list, tuple)) else 0


def remove_partial_files(folder: Path | str) -> None:
    """Remove partial files of writers that were killed."""
    for part in checkpoint_folder(folder).glob(f"*{PART}"):
        part.unlink(missing_ok=True)


def drop_after(folder: Path | str, iteration: int) -> None:
    """Remove resumable checkpoints later than an iteration from the manifest.

    A run resumed from an earlier one writes them again. Until then they must not count as the
    newest, nor replace those that it writes.
    """
    entries = read_manifest(folder)
    kept = [e for e in entries if e.kind != "resume" or e.iteration <= iteration]
    if len(kept) < len(entries):
        write_manifest(folder, kept)


def read(path: Path | str) -> dict[str, Any]:
    """Load a checkpoint on the CPU without running any code from it.

    If the manifest in its folder lists the file, its checksum is compared first.

    Raises:
        CheckpointError: If it is missing, truncated or changed, or contains other things than
            tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}; check the path")
    if path.parent.name == FOLDER:
        known = {e.file: e.sha256 for e in read_manifest(path.parent)}
        if path.name in known and sha256_of(path) != known[path.name]:
            raise CheckpointError(f"{path} is damaged: its SHA-256 differs from the manifest")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different exception for each kind of damage
        first = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path} cannot be read ({type(error).__name__}: {first}); it is truncated, damaged, "
            "or not a checkpoint of tensors and plain values"
        ) from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} contains a {type(state).__name__}, not a checkpoint")
    return state


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
    if candidates:
        raise CheckpointError(
            f"no checkpoint in {checkpoint_folder(folder)} is intact; "
            "start again with another --work-dir"
        )
    raise CheckpointError(
        f"nothing to resume in {checkpoint_folder(folder)}; leave out --resume to start a new run"
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
    for entry in read_manifest(folder):
        path = checkpoint_folder(folder) / entry.file
        if entry.kind == "best" and path.is_file():
            return path
    raise CheckpointError(
        f"no best checkpoint in {checkpoint_folder(folder)}; train first, or name a checkpoint file"
    )


def load_weights(method: nn.Module, weights: dict[str, Tensor], *, strict: bool = True) -> None:
    """Load weights, or report those that do not fit.

    Raises:
        CheckpointError: If, under ``strict``, keys are missing or unexpected; or if shapes differ.
    """
    own = method.state_dict()
    missing, unexpected = sorted(own.keys() - weights), sorted(weights.keys() - own)
    wrong = [
        f"{k}: {tuple(weights[k].shape)} is not {tuple(own[k].shape)}"
        for k in sorted(own.keys() & weights.keys())
        if own[k].shape != weights[k].shape
    ]
    problems = [("wrong shape", wrong)]
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
    method.load_state_dict(weights, strict=strict)
