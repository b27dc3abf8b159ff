"""Measure one training step of a recipe at full size."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from openstl_ext.atomic_io import atomic_write
from openstl_ext.profiling.memory import peak_bytes

Batch = dict[str, dict[str, Any]]


def measure_step(runner: Any, *, max_seconds: float, max_bytes: float) -> dict[str, Any]:
    """Run one training step with as many samples of the recipe's batch as fit the machine.

    A step with one sample is first; its time and memory give the number of samples that fit.

    Args:
        runner: A built runner that has not trained, in a process of its own, because peak memory
            and memory limit are those of the process.
        max_seconds: Approximate limit of the time of a step with more than one sample.
        max_bytes: Limit of the memory.

    Returns:
        ``samples`` of the step, ``batch_size`` of the recipe, ``seconds``, peak ``bytes`` and
        ``device``. If one sample does not fit, ``samples`` is 0 and ``bytes`` is the limit.
    """
    device = next(runner.model.parameters()).device
    batch = next(iter(runner.train_dataloader))
    found = {"batch_size": runner.cfg.train_dataloader.batch_size, "device": where(device)}
    before = peak_bytes(device) or 0
    limit_memory(max_bytes)
    try:
        seconds = step(runner, first(batch, 1), device)
    except RuntimeError as error:
        if "memory" not in str(error):
            raise
        return {**found, "samples": 0, "seconds": 0.0, "bytes": max_bytes}
    each = max((peak_bytes(device) or 0) - before, 1)
    num_fitting = min((0.9 * max_bytes - before) / each, max_seconds / seconds)
    samples = max(1, min(len(batch["inputs"]["frames"]), int(num_fitting)))
    if samples > 1 or 2 * seconds < max_seconds:  # the first step includes the start of kernels
        seconds = step(runner, first(batch, samples), device)
    return {**found, "samples": samples, "seconds": seconds, "bytes": peak_bytes(device) or 0}


def limit_memory(num_bytes: float) -> None:
    """Limit the memory of this process on Linux, so that it fails before the machine does."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (int(num_bytes), hard))


def step(runner: Any, batch: Batch, device: torch.device) -> float:
    """Return the seconds of forward, backward and update."""
    start = time.perf_counter()
    terms = runner.model.train_step(batch, runner.optim_wrapper)
    assert terms["loss"].isfinite()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def where(device: torch.device) -> str:
    """Return the device as text, with the facts that affect a measurement."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, threads: {torch.get_num_threads()}"


def first(batch: Batch, samples: int) -> Batch:
    """Return the first samples of a batch."""
    return {side: {name: v[:samples] for name, v in f.items()} for side, f in batch.items()}


HEAD = """\
# One training step of each recipe, at full size

Made by `make full-steps` on synthetic miniatures of the data, with one process per recipe.
*Samples* is the number of samples in the step, as many as fit the machine, and in the recipe's
batch. Memory is the peak of the process on a CPU and of the allocator on a GPU.

| Recipe | Samples | Seconds | Peak memory | Measured on |
|---|---|---|---|---|
"""


def add_row(path: Path, name: str, row: Mapping[str, Any]) -> None:
    """Write the result of `measure_step` into a Markdown table, in place of the old row.

    Args:
        path: File of the table, which is created if missing.
        name: Name of the recipe.
        row: Result of `measure_step`.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    rows = {line for line in lines if line.startswith("| `") and f"`{name}`" not in line}
    taken = f"{row['seconds']:.1f} | {row['bytes'] / 1e9:.1f} GB"
    if not row["samples"]:
        taken = f"- | more than {row['bytes'] / 1e9:.0f} GB for one sample"
    rows.add(f"| `{name}` | {row['samples']} of {row['batch_size']} | {taken} | {row['device']} |")
    atomic_write(path, (HEAD + "\n".join(sorted(rows)) + "\n").encode())
