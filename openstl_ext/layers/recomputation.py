"""Activations that are computed again in the backward pass instead of being kept."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from torch.utils.checkpoint import checkpoint

_AGAIN = ContextVar("again", default=False)


def recomputing() -> bool:
    """True in the second pass, where running statistics have been moved by the first."""
    return _AGAIN.get()


def recomputed(function: Callable[..., Any], *inputs: Any) -> Any:
    """Call a function without chance in it, and once more when its gradients are asked for.

    Args:
        function: Called with the inputs, both times; it asks `recomputing` before it leaves
            anything behind.
        inputs: Its arguments, which are kept in place of all that it would keep.
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
