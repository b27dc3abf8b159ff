"""What a net may promise to the method that drives it.

Protocols, so that a third-party module fits without inheriting. All are ``__call__``, which every
module has, so ``isinstance`` proves nothing: models and methods say ``port = FrameModel``, and the
contract tests run every pair that agrees.
"""

from typing import Any, Protocol

from torch import Tensor

TOY_SHAPE = (4, 1, 16, 16)
"""Frames (T, C, H, W) that the ``toy()`` of every model accepts."""


class FrameModel(Protocol):
    """All past frames in, a block of future frames out."""

    def __call__(self, frames: Tensor) -> Tensor:
        """(B, T, C, H, W) -> (B, T', C', H, W)."""


class RecurrentModel(Protocol):
    """One frame in, the next frame out; the state belongs to the net and is opaque."""

    def __call__(self, frame: Tensor, state: Any | None) -> tuple[Tensor, Any]:
        """(B, C, H, W) and a state, None at the start -> the next frame and the next state."""
