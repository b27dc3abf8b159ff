"""Whether a computation may be rearranged into an equal one that suits the device."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_ALLOWED = ContextVar("rearrangement", default=True)


def rearranged(x: Tensor) -> bool:
    """True where channels-last and rearranged kernels win: on CPUs, except while tracing.

    A trace is read by people and counters, who look for the operators that were published.
    """
    return x.device.type == "cpu" and not published()


def published() -> bool:
    """True where the published order is wanted: by people who compare, and while tracing."""
    return not _ALLOWED.get() or torch.jit.is_tracing()


@contextmanager
def as_published() -> Iterator[None]:
    """Compute in the published order while the block lasts, to compare with it."""
    token = _ALLOWED.set(False)
    try:
        yield
    finally:
        _ALLOWED.reset(token)
