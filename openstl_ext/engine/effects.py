"""Find overrides that cannot act, because another key of the config sets the value."""

from collections.abc import Iterator, Mapping
from typing import Any

from openstl_ext.config.structure import schedules

OPTIMIZER = "optim_wrapper.optimizer"
SET_BY = {
    "randomness.seed": "seed",
    **{f"{phase}_dataloader.persistent_workers": f"{phase}_dataloader.num_workers"
       for phase in ("train", "val", "test")},
}  # fmt: skip
"""Keys that the engine sets, and the keys that decide their values."""
FIRST_BETA = 0.9
"""Default of the first beta, the momentum of Adam, in torch."""


def without_effect(cfg: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each override that has no effect.

    Args:
        cfg: The complete config, with the entries of ``--cfg-options`` as ``overrides``.
    """
    overrides = [str(entry) for entry in cfg.get("overrides") or ()]
    keys = [entry.partition("=")[0].lstrip("+").strip() for entry in overrides]
    for key, by in SET_BY.items():
        if key in keys:
            yield f"{key}: an override has no effect, as {by} decides it; set {by}"
    for key in ("val_dataloader.sampler.round_up", "test_dataloader.sampler.round_up"):
        if key in keys:
            yield f"{key}: an override has no effect, as no sample is evaluated twice; remove it"
    for where, schedule in schedules(cfg):
        kind = str(schedule.get("type", "")).rpartition(".")[2]
        if kind.startswith("OneCycle") and not schedule.get("begin"):
            yield from _replaced_by_cycle(cfg, keys, where, kind, schedule)
        yield from _fixed_length(cfg, keys, where, schedule)
    factors = [key for key, acts in _factors(cfg).items() if acts]
    for where, schedule in schedules(cfg):
        if factors and str(schedule.get("type")) == "OneCycleLR":
            yield (
                f"{factors[0]}: it has no effect, as {where}.eta_max decides the learning rate; "
                f"set {where}.eta_max, or use another schedule"
            )


def _factors(cfg: Mapping[str, Any]) -> dict[str, bool]:
    """Return the keys that multiply the learning rates, and whether each is used."""
    paramwise = (cfg.get("optim_wrapper") or {}).get("paramwise_cfg") or {}
    return {
        "auto_scale_lr": bool((cfg.get("auto_scale_lr") or {}).get("enable")),
        "optim_wrapper.paramwise_cfg.layer_decay": "layer_decay" in paramwise,
    }


def _replaced_by_cycle(
    cfg: Mapping[str, Any], keys: list[str], where: str, kind: str, schedule: Mapping[str, Any]
) -> Iterator[str]:
    """Yield overrides of a learning rate or of a momentum that a cycle replaces."""
    optimizer = (cfg.get("optim_wrapper") or {}).get("optimizer") or {}
    replaced = "an override has no effect, as"
    if kind == "OneCycleMomentum":
        momenta = (f"{where}.smallest", f"{where}.largest")
        betas = optimizer.get("betas")
        cycled = betas and betas[0] != FIRST_BETA and "betas"
        for name in ("momentum" if optimizer.get("momentum") else None, cycled):
            if name and _overridden(f"{OPTIMIZER}.{name}", keys):
                yield (
                    f"{OPTIMIZER}.{name}: {replaced} the schedule {kind} sets the momentum, the "
                    f"first of betas; set {momenta[0]} and {momenta[1]}"
                )
        return
    rate = optimizer.get("lr")
    if rate not in (None, schedule.get("eta_max")) and _overridden(f"{OPTIMIZER}.lr", keys):
        yield (
            f"{OPTIMIZER}.lr: {replaced} the schedule {kind} sets the learning rate; set "
            f"{where}.eta_max={rate}"
        )


def _fixed_length(
    cfg: Mapping[str, Any], keys: list[str], where: str, schedule: Mapping[str, Any]
) -> Iterator[str]:
    """Yield an override of the length of the training that a schedule does not follow."""
    loop = cfg.get("train_cfg") or {}
    name = "max_epochs" if schedule.get("by_epoch", True) else "max_iterations"
    length = loop.get(name)
    if length is None or f"train_cfg.{name}" not in keys:
        return
    for key in ("total_steps", "T_max"):
        fixed = schedule.get(key)
        if fixed is not None and fixed != length and not _overridden(f"{where}.{key}", keys):
            yield (
                f"train_cfg.{name}={length}: the schedule {schedule.get('type')} does not follow "
                f"it, as {where}.{key} is {fixed}; set {where}.{key} too"
            )


def _overridden(path: str, keys: list[str]) -> bool:
    """Return whether an override sets a key, a block that has it, or a part of its value."""
    return any(
        path == key or path.startswith(f"{key}.") or key.startswith(f"{path}.") for key in keys
    )
