"""Interface of the fast kernels of a scan."""

from typing import NamedTuple, Protocol

from torch import Tensor

CHUNK = 16
"""Positions between two saved states; the states need as much memory as N / 16 inputs."""


class Operands(NamedTuple):
    """Operands of the recurrence alone; bias, softplus, skip and gate are in ``operator.py``.

    Channels come in ``K = order.shape[0]`` directions of ``Du`` channels each, ``D = K * Du``, and
    in G groups that share ``B`` and ``C``, K dividing G. All directions read the same ``u``.

    Args:
        u: Input of the state.
        dt: Step sizes, positive in all known uses.
        A: Decay rates, negative in all known uses.
        B: Weights into the state.
        C: Weights out of the state.
        order: Positions in the order in which each direction visits them; None for 0, 1, ... and
            K = 1.

    Shape:
        - u: (B, Du, L); dt: (B, D, L); A: (D, N); B, C: (B, G, N, L); order: (K, L), int64.
        - all but ``order`` have the same float type and device, and are contiguous.
    """

    u: Tensor
    dt: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    order: Tensor | None


class Outcome(NamedTuple):
    """Result of a forward pass.

    Args:
        y: Read-out of each direction, at its position.
        last: State after the last step.
        states: State before every ``CHUNK`` steps, for the backward pass; empty if not requested.

    Shape:
        - y: (B, D, L); last: (B, D, N); states: (B, ceil(L / CHUNK), N, D) or (0,).
    """

    y: Tensor
    last: Tensor
    states: Tensor


class Gradients(NamedTuple):
    """Gradients of the operands; those of ``u`` are not yet summed over directions.

    Shape:
        - u, dt: (B, D, L); A: (D, N); B, C: (B, G, N, L).
    """

    u: Tensor
    dt: Tensor
    A: Tensor
    B: Tensor
    C: Tensor


class Kernel(Protocol):
    """Module with these two functions, which run without autograd and autocast."""

    def forward(self, operands: Operands, *, keep_states: bool) -> Outcome:
        """Scan along L."""

    def backward(
        self, operands: Operands, states: Tensor, grad_y: Tensor, grad_last: Tensor | None
    ) -> Gradients:
        """Compute the gradients from the end, recomputing each chunk from its saved state.

        Shape:
            - grad_y: (B, Du, L), the same for every direction; grad_last: (B, D, N).
        """


def num_chunks(length: int) -> int:
    """Return the number of states that a scan of this length saves."""
    return (length + CHUNK - 1) // CHUNK
