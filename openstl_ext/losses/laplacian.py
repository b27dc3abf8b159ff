"""Errors scale by scale."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.losses.gaussian import blur, gaussian_weights
from openstl_ext.losses.pixel import filled, mean_over_valid
from openstl_ext.registry import LOSSES

SIZE, SIGMA = 5, 1.0


@LOSSES.register_module()
class LaplacianPyramid(nn.Module):
    """Mean absolute error of each band of a Laplacian pyramid, averaged over bands.

    A road that is half as bright as it should be hardly moves a squared error; in the band of its
    own width it stands out. A pyramid is linear, so one of the difference takes the place of two.

    Args:
        levels: Number of bands, the low pass that is left at the end included.
        include_lowpass: Count what is left at the end, too.
        mix_gaps: Let the blur draw on what lies in gaps, which must then be finite, as the
            published code does. By default both sides are 0 there. Either way a band counts where
            the truth is.

    Shape:
        - prediction, target, valid: (..., H, W), H and W at least ``2 ** (levels - 1)``; returns:
          a scalar.

    Raises:
        ConfigError: If there is no band to count.
        ShapeError: If a frame is too small to be halved so often.

    Source:
        GMoncrieff/spatio-temporal@d765a15, ``src/models/losses.py``: Gaussian of 5, sigma 1, zeros
        around the frame; a level is valid where more than half of the four pixels below are.
    """

    weights: Tensor

    def __init__(
        self, *, levels: int = 3, include_lowpass: bool = True, mix_gaps: bool = False
    ) -> None:
        super().__init__()
        if levels - (not include_lowpass) < 1:
            raise ConfigError(f"{levels} levels less the low pass leave no band; give more levels")
        self.levels, self.include_lowpass, self.mix_gaps = levels, include_lowpass, mix_gaps
        self.register_buffer("weights", gaussian_weights(SIZE, SIGMA), persistent=False)

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        height, width = target.shape[-2:]
        if min(height, width) < 2 ** (self.levels - 1):
            raise ShapeError(
                f"a frame of {height} x {width} cannot be halved {self.levels - 1} times; "
                "use larger chips or fewer levels"
            )
        prediction, target = filled(prediction, target, None if self.mix_gaps else valid)
        rest = (prediction - target).reshape(-1, 1, height, width)
        known = None if valid is None else valid.reshape(-1, 1, height, width)
        errors = []
        for _ in range(self.levels - 1):
            # bilinear by a half, corners not aligned, is the mean of four pixels
            coarse = F.avg_pool2d(blur(rest, self.weights, padding=SIZE // 2), 2)
            again = F.interpolate(coarse, size=rest.shape[-2:], mode="bilinear")
            errors.append(mean_over_valid((rest - again).abs(), known))
            rest, known = coarse, None if known is None else _halved(known)
        if self.include_lowpass:
            errors.append(mean_over_valid(rest.abs(), known))
        return torch.stack(errors).mean()


def _halved(valid: Tensor) -> Tensor:
    """True where more than half of four pixels are."""
    return F.avg_pool2d(valid.float(), 2) > 0.5
