"""Defaults of every config: loops, loaders, hooks and trackers."""

import copy
import itertools
from typing import Any

import torch
from mmengine.config import Config

from openstl_ext.engine.distributed import wrapper
from openstl_ext.engine.fully_shard import NAME
from openstl_ext.engine.precision import prefer_fused
from openstl_ext.errors import ConfigError
from openstl_ext.registry import PARAM_SCHEDULERS, SCOPE

LOG_INTERVAL = 50
HOOKS = {
    "runtime_info": {"type": "ProgressHook"},
    "guard": {"type": "GuardHook"},
    # one axis of iterations for training and validation
    "logger": {"type": "LoggerHook", "interval": LOG_INTERVAL, "log_metric_by_epoch": False},
    "checkpoint": {"type": "ExactCheckpointHook"},
    "preemption": {"type": "PreemptionHook"},
}
TRACKERS = ({"type": "JsonLinesTracker"}, {"type": "TensorboardXTracker"})
LOOPS = {"train": "ExactTrainLoop", "val": "ExactValLoop", "test": "ExactTestLoop"}
EVALUATION = ("val", "test")

_runs = itertools.count()


def complete(cfg: Config) -> Config:
    """Return a copy of a config with all defaults filled in.

    Values of the config are kept, apart from one: evaluation never repeats a sample to give all
    ranks equally many.

    Raises:
        ConfigError: If the training loop is configured with mmengine's names for iterations.
    """
    cfg = copy.deepcopy(cfg)
    cfg.setdefault("default_scope", SCOPE)
    cfg.setdefault("launcher", "none")
    cfg.setdefault("work_dir", "work_dirs/run")
    cfg.setdefault("seed", 0)
    cfg.randomness = {**cfg.get("randomness", {}), "seed": cfg.seed}
    # mmengine's singletons have this name; two runs of one process must not share them
    name = str(cfg.get("experiment_name") or cfg.get("identity") or "run").replace("/", "-")
    cfg.experiment_name = f"{name}-{next(_runs)}"
    cfg.model_wrapper_cfg = wrapper(cfg.get("model_wrapper_cfg") or {})
    cfg.default_hooks = merged(HOOKS, cfg.get("default_hooks") or {})
    cfg.setdefault("visualizer", {"type": "Visualizer", "vis_backends": list(TRACKERS)})
    if mode := cfg.pop("track", None):
        cfg.visualizer.vis_backends.append({"type": "WandbTracker", "mode": mode})
    cfg.setdefault("log_processor", {"type": "LogProcessor"})
    for stage in LOOPS:
        complete_stage(cfg, stage)
    if (cfg.get("train_cfg") or {}).get("max_iterations") is not None:
        cfg.log_processor.setdefault("by_epoch", False)
    if optim_wrapper := cfg.get("optim_wrapper"):
        device = "cuda" if torch.cuda.is_available() else "cpu"
        optim_wrapper.setdefault("type", "OptimWrapper")
        if "optimizer" in optim_wrapper:  # its absence is reported by `validate`
            optim_wrapper.optimizer = prefer_fused(
                optim_wrapper.optimizer, device, divided=cfg.model_wrapper_cfg["type"] == NAME
            )
    return cfg


def merged(default: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Merge parts by key; a given part of the same or of no type changes arguments only."""
    result: dict[str, Any] = copy.deepcopy({**given, **default})
    for key, part in given.items():
        base = default.get(key)
        same = base is not None and part is not None and part.get("type", base["type"])
        result[key] = {**base, **part} if base is not None and same == base["type"] else part
    return result


def complete_stage(cfg: Config, stage: str) -> None:
    """Complete the loop and the loader of training, validation or test, if the config has one."""
    loader = cfg.get(f"{stage}_dataloader")
    if loader is None:
        return
    loop = cfg.get(f"{stage}_cfg") or {}
    if loop.pop("by_epoch", True) is False or "max_iters" in loop:
        raise ConfigError(
            "train_cfg: to count iterations, write max_iterations=N instead of max_iters and "
            "by_epoch=False",
            part=loop,
        )
    loop.setdefault("type", LOOPS[stage])
    cfg[f"{stage}_cfg"] = loop
    loader.setdefault("num_workers", 0)
    loader.setdefault("batch_size", 1)
    loader.persistent_workers = loader.num_workers > 0
    loader.setdefault("pin_memory", torch.cuda.is_available())
    loader.setdefault("collate_fn", {"type": f"{SCOPE}.collate"})
    loader.setdefault("worker_init_fn", {"type": f"{SCOPE}.ignore_signals"})
    loader.sampler = loader.get("sampler") or {"type": "DefaultSampler"}
    loader.sampler.setdefault("shuffle", stage not in EVALUATION)
    if stage in EVALUATION:
        loader.sampler.round_up = False


def counted_in_iterations(schedule: Any) -> Any:
    """Return the config of a schedule with ``by_epoch=False``; one that waits for scores as it is.

    Raises:
        ConfigError: If it counts epochs, or is converted from epochs without an end.
    """
    if not isinstance(schedule, dict):
        return schedule
    if schedule.get("convert_to_iter_based"):
        if "end" in schedule:
            return schedule
        raise ConfigError(
            f"param_scheduler: {schedule['type']} would end with the last epoch, which the "
            "training does not complete; remove convert_to_iter_based and give its lengths in "
            "iterations",
            part=schedule,
        )
    if getattr(PARAM_SCHEDULERS.get(schedule["type"]), "need_val_args", False):
        return schedule
    if schedule.get("by_epoch"):
        raise ConfigError(
            f"param_scheduler: {schedule['type']} counts epochs, but train_cfg counts iterations; "
            "set by_epoch=False and give its lengths in iterations",
            part=schedule,
        )
    return {**schedule, "by_epoch": False}
