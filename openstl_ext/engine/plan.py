"""Plan of a training and of its test: what decides them, as values by dotted key.

A checkpoint carries both. A resume compares the first, a test compares both.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from openstl_ext.engine.split_overlap import sample_ids
from openstl_ext.registry import HOOKS, METHODS, PARAM_SCHEDULERS, SCOPE
from openstl_ext.structures import Metainfo

Facts = dict[str, Any]
"""Plain values by dotted key, as in ``{"model.net.hidden": [8, 8]}``."""

TRAINING = (
    *("model", "train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler"),
    *("auto_scale_lr", "randomness", "model_wrapper_cfg"),
)
"""Blocks that decide the weights; hooks are added by what they change."""
TEST = ("test_dataloader", "test_evaluator", "test_cfg")
SELECTION = ("val_dataloader", "val_evaluator")
"""Blocks that decide the weights where a schedule or a hook waits for a score."""
VALIDATIONS = ("train_cfg.val_begin", "train_cfg.val_interval")
SEED = "randomness.seed"  # a copy of ``seed``

FREE = {
    *("num_workers", "persistent_workers", "prefetch_factor", "pin_memory", "pin_memory_device"),
    *("worker_init_fn", "timeout", "multiprocessing_context"),
    *("device_ids", "broadcast_buffers", "forward_sync_buffers"),  # of the wrapper, by device
}
"""Keys of speed, which do not change a value."""
PLACES = re.compile(r"(.*_)?(root|path|dir|file|folder)|packed|prepare|prepare_size")
"""Keys of places, and of remedies: data may be moved, and their content is compared instead."""

NEUTRAL = (
    *("LoggerHook", "IterTimerHook", "RuntimeInfoHook", "CheckpointHook", "ProfilerHook"),
    "EmptyCacheHook",
)
"""Hooks of mmengine that change neither weights nor scores."""
NUM_PROBED = 16
"""Number of items whose values are summarised."""
TOLERANCE = 1e-4
"""Relative difference of summarised values that rounding on another machine may cause."""


def training_facts(cfg: Config) -> Facts:
    """Return the values of a complete config that decide the weights.

    Left out are places of files, what only changes the speed or the forecasts, and validation,
    logging and saving, unless a schedule or a hook waits for a score.
    """
    values = cfg.to_dict()
    found = _blocks(values, TRAINING) | _hooks(values, "training")
    found = without_forecast_facts(found, cfg)
    found.pop(SEED, None)
    if waits_for_scores(values):
        return found | _blocks(values, SELECTION)
    return {key: value for key, value in found.items() if key not in VALIDATIONS}


def test_facts(cfg: Config) -> Facts:
    """Return the values of a complete config that decide the scores of given weights."""
    values = cfg.to_dict()
    found = {"seed": values.get("seed")} | _blocks(values, TEST) | _hooks(values, "scores")
    found |= forecast_facts(cfg)
    return {key: value for key, value in found.items() if key != "test_dataloader.batch_size"}


def forecast_facts(cfg: Config) -> Facts:
    """Return the values of a method that act in forecasts only, as the number of its members."""
    found = _blocks(cfg.to_dict(), ("model",))
    others = without_forecast_facts(found, cfg)
    return {key: value for key, value in found.items() if key not in others}


def without_forecast_facts(facts: Facts, cfg: Config) -> Facts:
    """Return facts without arguments of the method of a config that act in forecasts only."""
    method = METHODS.get(str((cfg.get("model") or {}).get("type")))
    names = [f"model.{name}" for name in getattr(method, "forecast_arguments", ())]
    inner = tuple(f"{name}." for name in names)  # of an argument that is a config itself
    return {k: v for k, v in facts.items() if k not in names and not k.startswith(inner)}


def waits_for_scores(values: Mapping[str, Any]) -> bool:
    """Return whether the training depends on its validations."""
    schedules = values.get("param_scheduler") or ()
    schedules = [schedules] if isinstance(schedules, Mapping) else schedules
    types = [PARAM_SCHEDULERS.get(s["type"]) for s in schedules if isinstance(s, Mapping)]
    hooks = [hook.get("type") for hook in _listed_hooks(values)]
    return any(getattr(t, "need_val_args", False) for t in types) or "EarlyStoppingHook" in hooks


def data_facts(dataset: Any, name: str) -> Facts:
    """Return channels, number, ids and a summary of the values of the samples of a dataset.

    Args:
        dataset: A built dataset whose items do not depend on earlier ones.
        name: Prefix of the keys, such as ``train_data``.
    """
    size, ids = len(dataset), list(sample_ids(dataset))
    probed = range(0, size, max(1, -(-size // NUM_PROBED)))
    metainfo = getattr(dataset, "metainfo", None)  # a concatenation has none
    channels = metainfo.channels if isinstance(metainfo, Metainfo) else ()
    return {
        f"{name}.channels": [str(channel) for channel in channels],
        f"{name}.samples": size,
        f"{name}.sample_ids": digest(ids),
        f"{name}.values": [_summary(dataset[index]) for index in probed],
    }


def digest(values: list[Any]) -> str:
    """Return the first 12 hex digits of the SHA-256 of plain values."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:12]


def _summary(item: Mapping[str, Mapping[str, Any]]) -> list[float]:
    """Return four sums of the finite values of each tensor of an item.

    Sums of magnitudes, so that rounding on another machine changes them by a small share only.
    """
    numbers: list[float] = []
    for side in item.values():
        for tensor in (v for k, v in sorted(side.items()) if isinstance(v, Tensor) and k != "seed"):
            known = tensor.double().flatten()
            known = known[known.isfinite()]
            place = torch.linspace(1, 2, len(known), dtype=torch.float64)  # the order counts too
            sums = (known.abs().sum(), known.clamp(min=0).sum(), (known.abs() * place).sum())
            numbers += [float(len(known)), *map(float, sums)]
    return numbers


def differences(saved: Facts, now: Facts) -> Iterator[tuple[str, Any, Any]]:
    """Yield key, saved and present value of each difference; None where there is no value."""
    for key in dict.fromkeys([*now, *saved]):
        one, other = saved.get(key), now.get(key)
        if not _equal(one, other, tolerance=TOLERANCE if key.endswith(".values") else 0.0):
            yield key, one, other


def shown(found: Iterable[tuple[str, Any, Any]], *, most: int = 6) -> str:
    """Return differences as text, as in ``model.loss.type is 'L1', the checkpoint has 'L2'``."""
    phrases = [_phrase(*difference) for difference in found]
    more = f"; and {len(phrases) - most} more" if len(phrases) > most else ""
    return "; ".join(phrases[:most]) + more


def _phrase(key: str, saved: Any, now: Any) -> str:
    if key.endswith(".values"):
        return f"{key.removesuffix('.values')} has other values than the checkpoint was made with"
    return f"{key} is {_text(now)}, the checkpoint has {_text(saved)}"


def _text(value: Any) -> str:
    text = "not set" if value is None else repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _equal(one: Any, other: Any, *, tolerance: float) -> bool:
    """Compare plain values; a tolerance is for values that were computed from data."""
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_equal(*pair, tolerance=tolerance) for pair in pairs)
    if type(one) is type(other) is float:
        return math.isclose(one, other, rel_tol=tolerance) or (one != one and other != other)
    if isinstance(one, torch.Tensor) or isinstance(other, torch.Tensor):  # of a damaged file
        return False
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def plain(value: Any) -> Any:
    """Return a value of a config with the name of its class in place of each built part."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    known = value is None or isinstance(value, bool | int | float | str)
    return value if known else type(value).__name__


def _blocks(values: Mapping[str, Any], names: Iterable[str]) -> Facts:
    return dict(_flat({name: values[name] for name in names if values.get(name) is not None}))


def _flat(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested dicts and lists of dicts, without places and speed."""
    value = list(value) if isinstance(value, tuple) else value
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        pairs = [(str(number), part) for number, part in enumerate(value)]
    elif isinstance(value, dict) and value:
        pairs = [(k, v) for k, v in value.items() if k not in FREE and not PLACES.fullmatch(k)]
    else:
        yield where, _leaf(value)
        return
    for key, part in pairs:
        yield from _flat(part, f"{where}.{key}" if where else key)


def _leaf(value: Any) -> Any:
    """Return a value that JSON can hold, and the name of a file without its folder.

    A file such as that of statistics may be moved; its content travels with the weights.
    """
    if isinstance(value, list | tuple):
        return [_leaf(part) for part in value]
    value = plain(value)
    return re.split(r"[/\\]", value)[-1] if isinstance(value, str) else value


def _hooks(values: Mapping[str, Any], changed: str) -> Facts:
    """Return the configs of the hooks that change training or scores, by their types."""
    found: Facts = {}
    seen: Counter[str] = Counter()
    for hook in _listed_hooks(values):
        if changes(hook["type"]) == changed:
            name = hook["type"]
            seen[name] += 1
            number = "" if seen[name] == 1 else f"_{seen[name]}"
            found |= _flat(hook, f"hooks.{name}{number}")
    return found


def _listed_hooks(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    listed = [*(values.get("default_hooks") or {}).values(), *(values.get("custom_hooks") or ())]
    for hook in listed:
        if isinstance(hook, Mapping) and isinstance(hook.get("type"), str):
            yield {**hook, "type": hook["type"].removeprefix(f"{SCOPE}.")}


def changes(kind: str) -> str:
    """Return what a hook can change: ``training``, ``scores`` or ``nothing``.

    A class states it in its attribute ``changes``. Without the attribute, a hook that takes part
    in tests only changes scores, and any other may change the training.
    """
    cls: Any = HOOKS.get(kind)
    if stated := getattr(cls, "changes", None):
        return str(stated)
    if cls.__module__.startswith("mmengine.") and kind in NEUTRAL:
        return "nothing"
    return "scores" if set(_stages(cls)) <= {"test"} else "training"


def _stages(cls: type) -> Iterator[str]:
    """Yield the phase of each method of a hook that mmengine calls."""
    for base in cls.__mro__:
        if base.__module__ != "mmengine.hooks.hook":
            for name in vars(base):
                if name.startswith(("before_", "after_")):
                    yield name.split("_")[1]
