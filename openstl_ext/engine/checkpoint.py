"""Files that survive: a checkpoint is whole and known by its checksum, or it is not there.

The order is: write beside, flush, rename, flush the folder; then list it in the manifest the same
way; then drop what is too old. A kill between any two of these loses nothing.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.atomic_io import PART, atomic_write, atomic_write_hashed, sha256_of
from openstl_ext.errors import CheckpointError, DiskFullError, NonFiniteError

FOLDER = "checkpoints"
MANIFEST = "manifest.json"

Warn = Callable[[str], None]


def checkpoint_folder(folder: Path | str) -> Path:
    """Where the checkpoints of a work directory lie; a folder of checkpoints is its own home."""
    folder = Path(folder)
    return folder if folder.name == FOLDER else folder / FOLDER


def read_manifest(folder: Path | str) -> list[dict[str, Any]]:
    """What the manifest says, newest first; nothing where there is none.

    Each entry has ``file``, ``sha256``, ``epoch`` (counted from 1, maybe not ended),
    ``iteration`` (number done) and ``kind`` (``resume`` or ``best``); a best one also has
    ``metric`` and ``value``. Names are relative, so that a work directory can be moved.

    Raises:
        CheckpointError: If the manifest cannot be read.
    """
    path = checkpoint_folder(folder) / MANIFEST
    if not path.is_file():
        return []
    try:
        return json.loads(path.read_text())["checkpoints"]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} is damaged ({error}); delete it and name the checkpoint: --resume FILE"
        ) from error


def write_manifest(folder: Path | str, entries: list[dict[str, Any]]) -> None:
    """Replace the manifest, newest entry first."""
    entries = sorted(entries, key=lambda entry: -entry["iteration"])
    text = json.dumps({"checkpoints": entries}, indent=1) + "\n"
    atomic_write(checkpoint_folder(folder) / MANIFEST, text.encode())


def save(state: dict[str, Any], folder: Path | str, entry: dict[str, Any], *, keep: int) -> Path:
    """Write a checkpoint, list it, then drop what is too old.

    Args:
        state: Tensors and plain values; ``state_dict`` among them.
        folder: Work directory.
        entry: What the manifest shall say: ``file``, ``epoch``, ``iteration``, ``kind``.
        keep: Number of resumable checkpoints to keep.

    Raises:
        NonFiniteError: If a weight is not finite; nothing is written.
        CheckpointError: If the disk is full; everything before is intact.
    """
    refuse_non_finite(state["state_dict"])
    folder = checkpoint_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / entry["file"]
    try:
        digest = atomic_write_hashed(path, lambda file: torch.save(state, file))
    except DiskFullError as error:
        raise CheckpointError(
            f"{error}. {path.name} needs {num_bytes(state):,} bytes; earlier checkpoints are "
            "intact, so continue with --resume"
        ) from error
    entries = [e for e in read_manifest(folder) if e["file"] != entry["file"]]
    entries.append({**entry, "sha256": digest})
    resumable = sorted(
        (e for e in entries if e["kind"] == "resume"), key=lambda e: e["iteration"], reverse=True
    )
    old = {e["file"] for e in resumable[keep:]}
    if entry["kind"] == "best":
        old |= {e["file"] for e in entries if e["kind"] == "best"} - {entry["file"]}
    write_manifest(folder, [e for e in entries if e["file"] not in old])
    for name in old:
        (folder / name).unlink(missing_ok=True)
    return path


def refuse_non_finite(weights: dict[str, Tensor]) -> None:
    """Raise if a weight or buffer is NaN or infinite.

    Raises:
        NonFiniteError: With the first names.
    """
    bad = [k for k, v in weights.items() if v.is_floating_point() and not bool(v.isfinite().all())]
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        raise NonFiniteError(
            f"these weights are not finite, so they are not saved: {', '.join(bad[:3])}{more}. "
            "The last checkpoint is intact; lower the learning rate or clip gradients"
        )


def num_bytes(state: Any) -> int:
    """Bytes of all tensors in nested dicts and lists."""
    if isinstance(state, Tensor):
        return state.numel() * state.element_size()
    values = state.values() if isinstance(state, dict) else state
    return sum(map(num_bytes, values)) if isinstance(state, (dict, list, tuple)) else 0


def remove_partial_files(folder: Path | str) -> None:
    """Remove what writers left behind that were killed."""
    for part in checkpoint_folder(folder).glob(f"*{PART}"):
        part.unlink(missing_ok=True)


def drop_after(folder: Path | str, iteration: int) -> None:
    """Take resumable checkpoints later than an iteration off the list.

    A run that goes on from an earlier one will write them anew; until then they must not count
    as the newest, nor push out those that it writes.
    """
    entries = read_manifest(folder)
    kept = [e for e in entries if e["kind"] != "resume" or e["iteration"] <= iteration]
    if len(kept) < len(entries):
        write_manifest(folder, kept)


def read(path: Path | str) -> dict[str, Any]:
    """Load a checkpoint on the CPU without running any code from it.

    Where a manifest beside it lists the file, its checksum is compared first.

    Raises:
        CheckpointError: If it is missing, truncated, not what was written, or holds more than
            tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint at {path}")
    if path.parent.name == FOLDER:
        known = {e["file"]: e["sha256"] for e in read_manifest(path.parent)}
        if path.name in known and sha256_of(path) != known[path.name]:
            raise CheckpointError(f"{path} is damaged: it is not what was written")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch has a different exception for each way to be broken
        first = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path} cannot be read ({type(error).__name__}: {first}); it is truncated, damaged "
            "or no checkpoint of tensors and plain values"
        ) from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} holds a {type(state).__name__}, not a checkpoint")
    return state


def newest(folder: Path | str, warn: Warn) -> tuple[Path, dict[str, Any]]:
    """The newest checkpoint of a work directory that is what was written.

    Args:
        folder: Work directory.
        warn: Called with a sentence for each one that is damaged.

    Raises:
        CheckpointError: If there is none, or none can be trusted.
    """
    candidates = [e["file"] for e in read_manifest(folder) if e["kind"] == "resume"]
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


def best(folder: Path | str) -> Path:
    """The checkpoint that did best on the validation split.

    Raises:
        CheckpointError: If there is none.
    """
    for entry in read_manifest(folder):
        path = checkpoint_folder(folder) / entry["file"]
        if entry["kind"] == "best" and path.is_file():
            return path
    raise CheckpointError(
        f"no best checkpoint in {checkpoint_folder(folder)}; train first, or name a checkpoint file"
    )


def load_weights(method: nn.Module, weights: dict[str, Tensor], *, strict: bool = True) -> None:
    """Load weights and say which do not fit.

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
    complaints = [("wrong shape", wrong)]
    complaints += [("missing", missing), ("unexpected", unexpected)] if strict else []
    said = [
        f"{title}: {', '.join(names[:5])}" + (f" and {len(names) - 5} more" * (len(names) > 5))
        for title, names in complaints
        if names
    ]
    if said:
        raise CheckpointError(
            f"the weights do not fit {type(method).__name__}; {'; '.join(said)}. "
            "Is it the checkpoint of another config?"
        )
    method.load_state_dict(weights, strict=strict)
