"""A training of 20,000 iterations, in which nothing may grow."""

import gc
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from benchmarks.fresh_process import status_bytes
from openstl_ext.engine.runner import build
from openstl_ext.registry import HOOKS
from tests.engine.toy import config
from tests.faults.row import Row

ITERATIONS, SAMPLE_EVERY = 20_000, 1_000
GROWTH = 2_000_000
"""Bytes that the process may grow between a quarter of the run and its end."""


@HOOKS.register_module()
class GrowthHook(Hook):
    """Record memory, open files and threads at intervals."""

    def __init__(self, *, every: int) -> None:
        self.every = every
        self.found: list[dict[str, int]] = []

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if (runner.iter + 1) % self.every == 0:
            gc.collect()
            self.found.append(
                {
                    "memory": status_bytes("VmRSS"),
                    "files": len(os.listdir("/proc/self/fd")),
                    "threads": threading.active_count(),
                    "objects": len(gc.get_objects()),
                }
            )


def soak(iterations: int, every: int) -> tuple[list[dict[str, int]], list[int]]:
    """Train a toy net, and return what was recorded and the iterations of the logged scalars."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {
            "train_cfg": {"_delete_": True, "max_iterations": iterations, "val_interval": every},
            "param_scheduler": [],
            "optim_wrapper.optimizer.lr": 1e-3,
            "default_hooks.logger.interval": 10,
            "default_hooks.checkpoint": {"interval": every},
            "custom_hooks": [{"type": "GrowthHook", "every": every}],
        }
        run = build(config(folder, **options))
        MMLogger.get_current_instance().setLevel("ERROR")
        run.train()
        hook = next(hook for hook in run.hooks if isinstance(hook, GrowthHook))
        records = [path.read_text().splitlines() for path in Path(folder).rglob("scalars.json*")]
        steps = [json.loads(line) for lines in records for line in lines]
        return hook.found, [step["step"] for step in steps if "loss" in step]


def rows() -> Iterator[Row]:
    found, steps = soak(ITERATIONS, SAMPLE_EVERY)
    settled = found[len(found) // 4 :]
    grown = settled[-1]["memory"] - settled[0]["memory"]
    kept = {key: settled[-1][key] - settled[0][key] for key in ("files", "threads")}
    logged = steps == list(range(10, ITERATIONS + 1, 10))
    whole = grown < GROWTH and not any(kept.values()) and logged
    note = (
        f"memory {grown / 1e6:+.1f} MB, open files {kept['files']:+d}, threads "
        f"{kept['threads']:+d} over the last three quarters; {len(steps):,} log entries, none "
        f"{'missing' if logged else 'may be missing'}"
    )
    good = int(whole)
    yield Row(f"run of {ITERATIONS:,} iterations (soak)", 1, good, good, 1 - good, note)
