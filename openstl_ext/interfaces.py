"""What a net may promise to the method that drives it.

Protocols, so that a third-party module fits without inheriting. All are ``__call__``, which every
module has, so ``isinstance`` proves nothing: models and methods say ``port = FrameModel``, and the
contract tests run every pair that agrees.
"""

from typing import Any, NamedTuple, Protocol

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


class DenseModel(Protocol):
    """All frames in, a logit of each class at each pixel out."""

    def __call__(self, frames: Tensor) -> Tensor:
        """(B, T, C, H, W) -> (B, K, H, W); one logit where there are two classes."""


class Quantiles(NamedTuple):
    """Frames of K horizons, with an interval around each if the net says one.

    Fields:
        central: The forecast (B, K, H, W).
        lower: Its lower quantile, same shape; None for a net without intervals.
        upper: Its upper quantile, same shape.
    """

    central: Tensor
    lower: Tensor | None = None
    upper: Tensor | None = None


class CovariateModel(Protocol):
    """Past frames of one variable and what surrounds them in, one or more horizons out."""

    def __call__(
        self,
        frames: Tensor,
        *,
        dynamic: Tensor | None = None,
        static: Tensor | None = None,
        lonlat: Tensor | None = None,
    ) -> Quantiles:
        """(B, T, 1, H, W), (B, T, C, H, W), (B, C', H, W), (B, 2, H, W) -> K horizons."""
