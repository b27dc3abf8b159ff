"""Memory format and precision of computations inside layers."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_ALLOWED = ContextVar("rearrangement", default=True)


def prefers_fast_layout(x: Tensor) -> bool:
    """Return whether channels-last and rearranged kernels are faster: on CPUs, if not tracing.

    A trace keeps the published operators, because readers and FLOP counters expect them.
    """
    return x.device.type == "cpu" and not keeps_published_order()


def keeps_published_order() -> bool:
    """Return whether to compute in the published order: in comparisons and while tracing."""
    return not _ALLOWED.get() or torch.jit.is_tracing()


@contextmanager
def published_order() -> Iterator[None]:
    """Compute in the published order inside a ``with`` statement, for comparisons."""
    token = _ALLOWED.set(False)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def at_least_float32(x: Tensor) -> Tensor:
    """Convert a tensor to float32 if it is narrower: sums over many steps need the precision."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
