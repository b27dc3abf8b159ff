"""What a fast scan must offer, and what it may leave to others."""

from typing import NamedTuple, Protocol

from torch import Tensor

CHUNK = 16
"""Positions between two saved states: they cost as much as N / 16 further inputs, whatever L is."""


class Operands(NamedTuple):
    """The bare recurrence; everything around it is done once, in ``operator.py``.

    Channels come in ``K = order.shape[0]`` directions of ``Du`` channels each, ``D = K * Du``, and
    in G groups that share ``B`` and ``C``, K dividing G. All directions read the same ``u``.

    Args:
        u: What enters the state.
        dt: Step sizes, positive in all known uses.
        A: Decay rates, negative in all known uses.
        B: Weights into the state.
        C: Weights out of the state.
        order: The positions that each direction visits, in turn; None for 0, 1, ... and K = 1.

    Shape:
        - u: (B, Du, L); dt: (B, D, L); A: (D, N); B, C: (B, G, N, L); order: (K, L), int64.
        - all but ``order`` have one float type and device, and are contiguous.
    """

    u: Tensor
    dt: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    order: Tensor | None


class Outcome(NamedTuple):
    """What a forward pass leaves.

    Args:
        y: Read-out of each direction, at the positions it belongs to.
        last: State after the last step.
        states: State before every ``CHUNK`` steps, for the backward pass; empty if not asked for.

    Shape:
        - y: (B, D, L); last: (B, D, N); states: (B, ceil(L / CHUNK), N, D) or (0,).
    """

    y: Tensor
    last: Tensor
    states: Tensor


class Gradients(NamedTuple):
    """Gradients of the operands; those of ``u`` still apart by direction.

    Shape:
        - u, dt: (B, D, L); A: (D, N); B, C: (B, G, N, L).
    """

    u: Tensor
    dt: Tensor
    A: Tensor
    B: Tensor
    C: Tensor


class Kernel(Protocol):
    """A module with these two functions, which run without autograd and without autocast."""

    def forward(self, operands: Operands, *, keep_states: bool) -> Outcome:
        """Walk along L once."""

    def backward(
        self, operands: Operands, states: Tensor, grad_y: Tensor, grad_last: Tensor | None
    ) -> Gradients:
        """Walk back, recomputing each chunk from its state.

        Shape:
            - grad_y: (B, Du, L), the same for every direction; grad_last: (B, D, N).
        """


def num_chunks(length: int) -> int:
    """How many states a scan of so many positions saves."""
    return (length + CHUNK - 1) // CHUNK
