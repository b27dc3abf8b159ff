"""Learning rate by the number of samples of an update."""

from collections.abc import Iterator, Mapping
from typing import Any

from openstl_ext.engine.plan import Facts

SCALED = "learning rate by batch"
"""Fact of the plan: the rate before schedules, where it depends on the batch."""


def scale_rates(runner: Any) -> None:
    """Multiply all rates by the samples of an update / ``base_batch_size``, if that is enabled.

    The samples of an update are batch size x processes x iterations of an accumulation. Processes
    are those that the run began with, so that a resume with others keeps the rate.

    Args:
        runner: The run, with its optimiser and without schedules.

    Source:
        Goyal et al. (arXiv:1706.02677). mmengine's ``scale_lr`` does not count accumulations.
    """
    cfg = runner.cfg.to_dict()
    scaling = cfg.get("auto_scale_lr") or {}
    if not scaling.get("enable"):
        return
    batch, base = samples_of_update(cfg, runner.num_processes), scaling["base_batch_size"]
    for group in runner.optim_wrapper.optimizer.param_groups:
        group["lr"] = group["lr"] * batch / base
    size, rate = cfg["train_dataloader"]["batch_size"], rate_facts(cfg, runner.num_processes)
    given = f"learning rate {rate[SCALED]:g}" if rate else "learning rate"
    runner.logger.info(
        f"{given}: scaled by {batch} / {base}, as batch size x processes x iterations of an update "
        f"are {size} x {runner.num_processes} x {accumulated(cfg)}"
    )


def samples_of_update(cfg: Mapping[str, Any], num_processes: int) -> int:
    """Return the number of samples whose gradients an update of a complete config averages."""
    return int(cfg["train_dataloader"]["batch_size"] * num_processes * accumulated(cfg))


def accumulated(cfg: Mapping[str, Any]) -> int:
    """Return the number of iterations that share one update."""
    return int((cfg.get("optim_wrapper") or {}).get("accumulative_counts") or 1)


def rate_facts(cfg: Mapping[str, Any], num_processes: int) -> Facts:
    """Return the scaled rate of the optimiser as a fact of the plan; none without scaling."""
    scaling = cfg.get("auto_scale_lr") or {}
    rate = ((cfg.get("optim_wrapper") or {}).get("optimizer") or {}).get("lr")
    if not scaling.get("enable") or rate is None:
        return {}
    return {SCALED: rate * samples_of_update(cfg, num_processes) / scaling["base_batch_size"]}


def scaling_problems(cfg: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence if the scaling of a config has no base."""
    scaling = cfg.get("auto_scale_lr") or {}
    if scaling.get("enable") and scaling.get("base_batch_size") is None:
        yield (
            "auto_scale_lr: it needs the batch size that the learning rate is given for; set "
            "base_batch_size, as in dict(enable=True, base_batch_size=256)"
        )
