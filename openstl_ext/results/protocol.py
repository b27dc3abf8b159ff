"""Protocol of a test: what runs must share for their scores to be comparable."""

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

PLACES = {"root", "path", "file", "folder", "collect_device", "collect_dir"}
PLACES |= {
    "prepare_size",
    "packed",
    "num_workers",
    "batch_size",
    "persistent_workers",
    "pin_memory",
    "prefetch_factor",
}
"""Config keys of places and speed, which do not change a score."""

SEED = "inputs.seed"
"""Field that the evaluation adds to each sample; it is not part of the data."""

PLACE = re.compile(r".*_(root|path|dir|file|folder)$")


class Protocol(TypedDict):
    """Data and metrics of a test, with the hash that tables are grouped by.

    Fields:
        fingerprint: First 12 hex digits of the SHA-256 of all other fields.
        dataset: Config of the test dataset, without places.
        evaluator: Configs of the metrics, without places, sorted.
        metainfo: Metainfo of the built dataset: name, channels, lead.
        size: Number of test samples.
        shapes: Shape of each field of a test sample.
        samples: Hash of the ids of the test samples; null if they have none.
    """

    fingerprint: str
    dataset: dict[str, Any]
    evaluator: list[Any]
    metainfo: dict[str, Any]
    size: int
    shapes: dict[str, list[int]]
    samples: str | None


def protocol_of(
    dataset: Mapping[str, Any],
    evaluator: Any,
    metainfo: Any,
    *,
    size: int,
    shapes: Mapping[str, Iterable[int]],
    sample_ids: Iterable[str] | None = None,
) -> Protocol:
    """Return the protocol of a test, with its fingerprint.

    Two runs have the same fingerprint if their scores are comparable: same dataset, split,
    horizon, units and metrics, for any location of the data and any loader speed. Other data in
    the same folder differ in size, shapes or sample ids.

    Args:
        dataset: Config of the test dataset.
        evaluator: Config of the metrics: one or a list.
        metainfo: Metainfo of the built dataset; a dataclass or a mapping.
        size: Number of test samples.
        shapes: Shape of each field of a sample, as ``{"inputs.frames": (10, 1, 64, 64)}``.
        sample_ids: Ids of the test samples, if they have any.
    """
    metrics = [evaluator] if isinstance(evaluator, Mapping) else list(evaluator or ())
    facts: dict[str, Any] = {
        "dataset": plain(without_places(dataset)),
        "evaluator": sorted((plain(without_places(m)) for m in metrics), key=canonical),
        "metainfo": facts_of(metainfo),
        "size": size,
        "shapes": plain({k: shape for k, shape in shapes.items() if k != SEED}),
        "samples": None if sample_ids is None else digest(sorted(sample_ids)),
    }
    return {"fingerprint": digest(facts), **facts}  # type: ignore[typeddict-item, return-value]


def facts_of(metainfo: Any) -> dict[str, Any]:
    """Return metainfo in plain values; empty for None."""
    is_instance = dataclasses.is_dataclass(metainfo) and not isinstance(metainfo, type)
    return plain(dataclasses.asdict(metainfo) if is_instance else dict(metainfo or {}))


def same_data(one: Any, other: Any) -> bool:
    """Return whether two dataset configs read the same samples, as for selection on the test set.

    Places count here: the same split in another folder is other data.
    """
    return one is not None and other is not None and digest(plain(one)) == digest(plain(other))


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the differences of two protocols or trainings, a phrase each: ``size 20, not 200``."""
    ours, theirs = flat(dict(one)), flat(dict(other))
    keys = sorted(k for k in {*ours, *theirs} if k != "fingerprint")
    return [
        f"{key} {_shown(ours, key)}, not {_shown(theirs, key)}"
        for key in keys
        if ours.get(key) != theirs.get(key)
    ]


def flat(value: Any, where: str = "") -> dict[str, Any]:
    """Flatten nested objects, with dotted keys; lists of plain values are not split."""
    if isinstance(value, dict):
        pairs = [(str(k), v) for k, v in value.items()]
    elif isinstance(value, list) and any(isinstance(v, dict) for v in value):
        pairs = [(str(v.get("type", i)), v) for i, v in enumerate(value)]
    else:
        return {where: value}
    nested = [flat(v, f"{where}.{k}" if where else k) for k, v in pairs]
    return {key: leaf for part in nested for key, leaf in part.items()}


def without_places(value: Any) -> Any:
    """Remove the keys of places and speed from a config; a path keeps its last name."""
    if isinstance(value, Mapping):
        kept = {k: v for k, v in value.items() if k not in PLACES and not PLACE.match(str(k))}
        return {k: without_places(v) for k, v in kept.items()}
    if isinstance(value, list | tuple):
        return [without_places(v) for v in value]
    return value.replace("\\", "/").rsplit("/", 1)[-1] if isinstance(value, str) else value


def plain(value: Any) -> Any:
    """Convert to values of strict JSON: text keys, lists, finite numbers; others become null.

    Raises:
        TypeError: If a value is neither a number, a text, a list nor a mapping.
    """
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in (value if isinstance(value, list | tuple) else sorted(value))]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "item"):  # a scalar of numpy or torch
        return plain(value.item())
    if hasattr(value, "__fspath__"):
        return str(value)
    raise TypeError(f"a record has plain values only, not {type(value).__name__}: {value!r}")


def canonical(value: Any) -> str:
    """Return the canonical JSON text of a plain value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """Return the first 12 hex digits of the SHA-256 of a plain value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:12]


def _shown(facts: dict[str, Any], key: str) -> str:
    return json.dumps(facts[key]) if key in facts else "absent"
