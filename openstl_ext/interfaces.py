"""What a net may promise to the method that drives it.

Protocols, so that a third-party module fits without inheriting. All are ``__call__``, which every
module has, so ``isinstance`` proves nothing: models and methods say ``port = FrameModel``, and the
contract tests run every pair that agrees.
"""

from collections.abc import Mapping
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


class HorizonForecast(NamedTuple):
    """Forecast of K horizons, with Q quantiles if the net predicts any.

    Fields:
        forecast: One value per pixel and horizon (B, K, H, W).
        quantiles: Quantiles in ascending order of their levels (B, Q, K, H, W), or None.
    """

    forecast: Tensor
    quantiles: Tensor | None = None


class CovariateModel(Protocol):
    """Past frames of one variable and what surrounds them in, one or more horizons out."""

    def __call__(
        self,
        frames: Tensor,
        *,
        dynamic: Tensor | None = None,
        static: Tensor | None = None,
        lonlat: Tensor | None = None,
    ) -> HorizonForecast:
        """(B, T, 1, H, W), (B, T, C, H, W), (B, C', H, W), (B, 2, H, W) -> K horizons."""


class Postprocessor(Protocol):
    """Change of the fields of a forecast, such as a calibration, before anything receives them."""

    def __call__(self, fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the changed fields; data units, with or without a batch axis."""
