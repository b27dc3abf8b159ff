"""The selective scan at a shape of VMRNN, one thread: time and memory against the plain loop."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.__main__ import STEADY
from benchmarks.harness import Row, compare
from openstl_ext.ops.cross_scan import cross_scan, visiting_order
from openstl_ext.ops.selective_scan import obstacle, selective_scan

BATCH, LENGTH, CHANNELS, STATES, GROUPS = 16, 64, 1024, 16, 4
SIDE = 8
GOALS = {"stepwise": 40.0, "native": 150.0}


def rows() -> Iterator[Row]:
    yield from training_rows(steady=False)
    yield from training_rows(steady=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield from cross_rows()
    finally:
        torch.set_num_threads(threads)


def training_rows(*, steady: bool) -> Iterator[Row]:
    """Forward and backward, against a loop that indexes once a step as mamba_ssm's does.

    Each runs in a process of its own. Most of the loop's time goes into filling, for every index,
    a gradient of full size that the C library fetches anew from the system. That is how it runs
    for its users, so the promises are made there; where the library is told to keep its memory,
    as in all other rows, the loop takes a third of the time.
    """
    shape = f"B {BATCH}, L {LENGTH}, D {CHANNELS}, N {STATES}"
    how = "memory kept" if steady else "ordinary malloc"
    loop = measured("reference", steady)
    for backend in available():
        ours = measured(backend, steady)
        goal = GOALS[backend] / (4 if steady else 1)
        name = f"selective scan training, {backend}, {shape}, {how}"
        yield Row(name, "one index a step", loop["seconds"], ours["seconds"], goal=goal)
        if not steady:
            name = f"the same, {backend}, peak memory in GB (for seconds)"
            yield Row(name, "one index a step", loop["gigabytes"], ours["gigabytes"], goal=4.0)


def cross_rows() -> Iterator[Row]:
    """Telling the kernel where each path goes, against handing it four copies."""
    tensors = drawn(BATCH, LENGTH)
    maps = {"u": tensors["u"][:, : CHANNELS // 4].unflatten(2, (SIDE, SIDE)).detach()}
    maps["delta"] = tensors["delta"].unflatten(1, (4, -1)).unflatten(3, (SIDE, SIDE)).detach()
    for name in ("B", "C"):
        maps[name] = tensors[name].unflatten(3, (SIDE, SIDE)).detach()
    maps["A"] = tensors["A"].detach()
    maps = {name: tensor.contiguous().requires_grad_() for name, tensor in maps.items()}
    for backend in available():
        indexed = partial(backward_through, partial(cross_scan, backend=backend), maps)
        copied = partial(backward_through, partial(on_copies, backend=backend), maps)
        taken = compare(copied, indexed, rounds=7)
        name = f"cross scan training, {backend}, {SIDE} x {SIDE} x {CHANNELS // 4}"
        yield Row(name, "four flipped copies, same backend", *taken, goal=1.0)


def available() -> list[str]:
    return [b for b in GOALS if obstacle(b, torch.device("cpu"), torch.float32) is None]


def drawn(batch: int, length: int) -> dict[str, Tensor]:
    """Inputs as VMRNN's blocks make them: four groups, decays -1 to -N."""
    draw = torch.Generator().manual_seed(0)
    decay = -torch.arange(1.0, STATES + 1).repeat(CHANNELS, 1)
    sizes = {
        "u": (batch, CHANNELS, length),
        "delta": (batch, CHANNELS, length),
        "B": (batch, GROUPS, STATES, length),
        "C": (batch, GROUPS, STATES, length),
        "D": (CHANNELS,),
        "delta_bias": (CHANNELS,),
    }
    tensors = {name: torch.randn(size, generator=draw) for name, size in sizes.items()}
    tensors["delta_bias"] -= 4.0
    return {name: t.requires_grad_() for name, t in {**tensors, "A": decay}.items()}


def trained(tensors: dict[str, Tensor], backend: str) -> None:
    backward_through(partial(selective_scan, backend=backend), tensors)


def backward_through(scan: Callable[..., Tensor], tensors: dict[str, Tensor]) -> None:
    out = scan(**tensors, delta_softplus=True)
    torch.autograd.grad(out, list(tensors.values()), torch.ones_like(out))


def on_copies(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, **rest: object) -> Tensor:  # noqa: N803
    """The cross scan as its definition reads."""
    order = visiting_order(*u.shape[2:])

    def met(maps: Tensor) -> Tensor:
        flat = maps.flatten(3)
        return torch.stack([flat[:, k][..., path] for k, path in enumerate(order)], dim=1)

    four = u.unsqueeze(1).expand(-1, 4, -1, -1, -1)
    steps = met(delta).flatten(1, 2)
    y = selective_scan(met(four).flatten(1, 2), steps, A, met(B), met(C), **rest)
    said = y.unflatten(1, (4, -1))
    back = order.argsort(dim=1)
    merged = sum(said[:, k][..., path] for k, path in enumerate(back))
    return merged.unflatten(2, u.shape[2:])


def seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def measured(backend: str, steady: bool) -> dict[str, float]:
    """Median CPU seconds of a training step, and the memory it adds at its peak."""
    kept = {name: value for name, value in os.environ.items() if name not in STEADY}
    environment = {**kept, **(STEADY if steady else {})}
    command = [sys.executable, "-m", "benchmarks.selective_scan", backend]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    return json.loads(done.stdout)


def measure(backend: str) -> None:
    torch.set_num_threads(1)
    trained(drawn(1, 8), backend)  # libraries and the compiled kernel are no part of a step
    run = partial(trained, drawn(BATCH, LENGTH), backend)
    before = resident_gigabytes()
    taken = sorted(seconds(run) for _ in range(1 if backend == "reference" else 9))
    peak, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(1e-3):
            peak.append(resident_gigabytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(1 if backend == "reference" else 9):
        run()
    ended.set()
    watcher.join()
    print(json.dumps({"seconds": taken[len(taken) // 2], "gigabytes": max(peak) - before}))


def resident_gigabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e9


if __name__ == "__main__":
    measure(sys.argv[1])
