"""One less structural similarity, as a criterion."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ShapeError
from openstl_ext.losses.gaussian import blur, gaussian_weights
from openstl_ext.losses.pixel import filled, mean_over_valid
from openstl_ext.registry import LOSSES

SIZE, SIGMA = 11, 1.5


@LOSSES.register_module()
class StructuralDissimilarity(nn.Module):
    """One less the structural similarity, mean over windows that lie wholly on valid pixels.

    A squared error prefers a blurred forecast; this one asks for the local contrast, too.

    Args:
        data_range: Span of the values as they are compared: of normalised ones, where those come.
        zero_filled: Count windows that touch a gap too, with both sides 0 in the gap. It flatters,
            as two gaps are alike; the published training did it.

    Shape:
        - prediction, target, valid: (..., H, W), H and W at least 11; returns: a scalar, from 0
          for what is equal up to 2.

    Raises:
        ShapeError: If a frame is smaller than the window.

    Source:
        Wang et al., Image quality assessment: from error visibility to structural similarity
        (2004): Gaussian window of 11, sigma 1.5, population covariance, K1 = 0.01, K2 = 0.03.
        GMoncrieff/spatio-temporal@4eb523d trains with torchmetrics' equal of it.

    Deviations:
        Windows that touch a gap are left out unless ``zero_filled``.
    """

    weights: Tensor

    def __init__(self, *, data_range: float = 1.0, zero_filled: bool = False) -> None:
        super().__init__()
        self.data_range, self.zero_filled = float(data_range), zero_filled
        self.register_buffer("weights", gaussian_weights(SIZE, SIGMA), persistent=False)

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        height, width = target.shape[-2:]
        if min(height, width) < SIZE:
            raise ShapeError(
                f"structural similarity looks through a window of {SIZE} a side, and a frame is "
                f"{height} x {width}; use larger chips, or a loss without a window"
            )
        x, y = (f.reshape(-1, 1, height, width) for f in filled(prediction, target, valid))
        likeness = self._similarity(x, y)
        if valid is None or self.zero_filled:
            # 0 * sum: a batch without any truth teaches nothing here either
            known = 1.0 if valid is None else valid.any()
            return (1 - likeness).mean() * known
        gap = (~valid).reshape(-1, 1, height, width).float()
        return mean_over_valid(1 - likeness, F.max_pool2d(gap, SIZE, stride=1) == 0)

    def _similarity(self, x: Tensor, y: Tensor) -> Tensor:
        """Similarity under each window, (N, 1, H, W) to (N, 1, H - 10, W - 10)."""
        # second moments cancel in float32 unless they are taken about a near constant
        centre = y.detach().mean(dim=(-2, -1), keepdim=True)
        x, y = x - centre, y - centre
        moments = blur(torch.cat([x, y, x * x + y * y, x * y]), self.weights)
        x_mean, y_mean, squares, product = moments.chunk(4)
        spread = squares - x_mean.square() - y_mean.square()
        shared = product - x_mean * y_mean
        x_mean, y_mean = x_mean + centre, y_mean + centre
        faint, dim = (0.01 * self.data_range) ** 2, (0.03 * self.data_range) ** 2
        likeness = (2 * x_mean * y_mean + faint) * (2 * shared + dim)
        return likeness / ((x_mean.square() + y_mean.square() + faint) * (spread + dim))
