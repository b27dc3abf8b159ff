"""Activation checkpointing: compute activations again in the backward pass to save memory."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from torch.utils.checkpoint import checkpoint

_AGAIN = ContextVar("again", default=False)


def recomputing() -> bool:
    """Return whether this is the second pass; the first one has updated running statistics."""
    return _AGAIN.get()


def recomputed(function: Callable[..., Any], *inputs: Any) -> Any:
    """Call a deterministic function now, and again when its gradients are computed.

    Args:
        function: Function to call. If it changes a state, it must check `recomputing` first.
        inputs: Its arguments; they are stored instead of the activations.
    """
    return checkpoint(
        function,
        *inputs,
        use_reentrant=False,
        preserve_rng_state=False,
        context_fn=_both_passes,
    )


def _both_passes() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _second_pass()


@contextmanager
def _second_pass() -> Iterator[None]:
    token = _AGAIN.set(True)
    try:
        yield
    finally:
        _AGAIN.reset(token)
