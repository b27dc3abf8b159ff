"""Ranges of arguments that torch and mmengine do not annotate, and values that need each other."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from openstl_ext.errors import nearest
from openstl_ext.value_types import Count, Index, NonNegative, Positive, Share, type_problem

LENGTHS = ("max_epochs", "max_iterations")
"""Keys of train_cfg that end the training; a config has one of them."""
FOREIGN: dict[str, Any] = {
    # optimisers
    "lr": NonNegative,
    "weight_decay": NonNegative,
    "momentum": Share,
    "betas": list[Annotated[float, Meta(ge=0, lt=1)]],
    "eps": NonNegative,
    # schedules
    "begin": Index,
    "end": Count,
    "last_step": Annotated[int, Meta(ge=-1)],
    "eta_max": Positive,
    "eta_min": NonNegative,
    "eta_min_ratio": Share,
    "T_max": Count,
    "total_steps": Count,
    "step_size": Count,
    "pct_start": Annotated[float, Meta(gt=0, lt=1)],
    "anneal_strategy": Literal["cos", "linear"],
    "div_factor": Positive,
    "final_div_factor": Positive,
    "milestones": list[Index],
    "gamma": Positive,
    "factor": Annotated[float, Meta(gt=0, le=1)],
    "start_factor": Annotated[float, Meta(gt=0, le=1)],
    "end_factor": Share,
    "power": Positive,
    "patience": Index,
    "cooldown": Index,
    "rule": Literal["less", "greater"],
    "monitor": str,
    # hooks and log lines
    "interval": Count,
    "interval_exp_name": Count,
    "window_size": Count,
    "num_digits": Index,
    "begin_iter": Index,
    "begin_epoch": Index,
    "min_delta": NonNegative,
}
"""Types and ranges of arguments of torch and mmengine by name, where these check nothing."""
LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET")


def foreign_problems(cls: Any, given: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield the arguments of a class of torch or mmengine that are outside of their range."""
    if getattr(cls, "__module__", "").partition(".")[0] not in ("torch", "mmengine"):
        return
    for key in given.keys() & FOREIGN.keys():
        if given[key] is not None:
            problem = type_problem(given[key], FOREIGN[key], f"{where}.{key}")
            if problem is not None:
                yield problem


def bad_values(cfg: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message for each value of a config that contradicts another, or is no name."""
    yield from _training_length(cfg.get("train_cfg"))
    level = cfg.get("log_level")
    if level is not None and level not in LEVELS and not isinstance(level, int):
        yield f"log_level: there is no {level!r}; {nearest(str(level), LEVELS)}"
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        loader = cfg.get(name)
        if isinstance(loader, Mapping) and not loader.get("num_workers"):
            for key in ("prefetch_factor", "timeout"):
                if loader.get(key):
                    yield f"{name}.{key}: it needs workers; set num_workers, or remove {key}"


def _training_length(loop: Any) -> Iterator[str]:
    """Yield a message if the training is counted in no unit, or in two."""
    if not isinstance(loop, Mapping):
        return
    given = [name for name in LENGTHS if loop.get(name) is not None]
    typo = any(key.startswith("max") and key not in LENGTHS for key in loop)
    if not given and not typo:  # a typo is reported by its name
        yield "train_cfg: max_epochs or max_iterations is missing; set one of them"
    elif len(given) == 2:
        yield (
            f"train_cfg: max_epochs={loop['max_epochs']} and max_iterations="
            f"{loop['max_iterations']} exclude each other; set one of them to None"
        )
