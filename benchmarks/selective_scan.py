"""Selective scan at a shape of VMRNN, one thread: time and memory against the plain loop."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from benchmarks.fresh_process import Cost, measure, ordinary_environment, steady_environment
from benchmarks.harness import NotMeasured, Row, compare
from openstl_ext.ops.cross_scan import cross_scan, visiting_order
from openstl_ext.ops.selective_scan import obstacle, selective_scan

BATCH, LENGTH, CHANNELS, STATES, GROUPS = 16, 64, 1024, 16, 4
SIDE = 8
GOALS = {"stepwise": 40.0, "native": 150.0}


def rows() -> Iterator[Row | NotMeasured]:
    for backend in GOALS:
        if reason := reason_against(backend):
            yield NotMeasured(f"{backend} scan", reason)
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

    Each runs in a process of its own. For every index, the loop fills a gradient of full size
    in pages that the C library has just obtained from the system; this takes most of its time. It
    is the usual case, so the goals are for it. Where the C library keeps its memory, as in all
    other rows, the loop takes a third of the time.
    """
    shape = f"B {BATCH}, L {LENGTH}, D {CHANNELS}, N {STATES}"
    how = "memory kept" if steady else "ordinary malloc"
    loop = measured("reference", steady)
    for backend in available():
        ours = measured(backend, steady)
        goal = GOALS[backend] / (4 if steady else 1)
        name = f"selective scan training, {backend}, {shape}, {how}"
        yield Row(name, "one index a step", loop.seconds, ours.seconds, goal=goal)
        if not steady:
            name = f"selective scan training, {backend}, {shape}, added memory"
            costs = loop.added_bytes, ours.added_bytes
            yield Row(name, "one index a step", *costs, goal=4.0, unit="MB")


def cross_rows() -> Iterator[Row]:
    """The kernel with the order of each path as an index, against four copies of the maps."""
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


def reason_against(backend: str) -> str | None:
    return obstacle(backend, torch.device("cpu"), torch.float32)


def available() -> list[str]:
    return [backend for backend in GOALS if reason_against(backend) is None]


def drawn(batch: int, length: int) -> dict[str, Tensor]:
    """Draw inputs as VMRNN's blocks make them: four groups, decays -1 to -N."""
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
    """The cross scan by its definition."""
    order = visiting_order(*u.shape[2:])

    def in_order(maps: Tensor) -> Tensor:
        flat = maps.flatten(3)
        return torch.stack([flat[:, k][..., path] for k, path in enumerate(order)], dim=1)

    four = u.unsqueeze(1).expand(-1, 4, -1, -1, -1)
    steps = in_order(delta).flatten(1, 2)
    inputs = in_order(four).flatten(1, 2)
    y = selective_scan(inputs, steps, A, in_order(B), in_order(C), **rest)
    paths = y.unflatten(1, (4, -1))
    back = order.argsort(dim=1)
    merged = sum(paths[:, k][..., path] for k, path in enumerate(back))
    return merged.unflatten(2, u.shape[2:])


def training(backend: str) -> Callable[[], None]:
    """Return a training step; libraries and the compiled kernel have been loaded."""
    torch.set_num_threads(1)
    trained(drawn(1, 8), backend)
    return partial(trained, drawn(BATCH, LENGTH), backend)


def measured(backend: str, steady: bool) -> Cost:
    rounds = 1 if backend == "reference" else 9
    environment = steady_environment() if steady else ordinary_environment()
    return measure(training, backend, rounds=rounds, environment=environment)
