"""Memory format and precision of computations inside layers."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_ALLOWED = ContextVar("rearrangement", default=True)


def prefers_fast_layout(x: Tensor) -> bool:
    """True where channels-last and rearranged kernels win: on CPUs, except while tracing.

    A trace is read by people and counters, who look for the operators that were published.
    """
    return x.device.type == "cpu" and not keeps_published_order()


def keeps_published_order() -> bool:
    """True where the published order is wanted: by people who compare, and while tracing."""
    return not _ALLOWED.get() or torch.jit.is_tracing()


@contextmanager
def published_order() -> Iterator[None]:
    """Compute in the published order while the block lasts, to compare with it."""
    token = _ALLOWED.set(False)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def at_least_float32(x: Tensor) -> Tensor:
    """A bf16 tensor in float32, any wider one as it is: what adds up over steps needs the bits."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
