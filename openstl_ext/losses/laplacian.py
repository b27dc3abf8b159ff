"""Loss over the scales of a Laplacian pyramid."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.losses.gaussian import blur, gaussian_weights
from openstl_ext.losses.pixel import filled, mean_over_valid
from openstl_ext.registry import LOSSES
from openstl_ext.value_types import Count

SIZE, SIGMA = 5, 1.0


@LOSSES.register_module()
class LaplacianPyramid(nn.Module):
    """Mean absolute error of each band of a Laplacian pyramid, averaged over bands.

    Errors in fine structures, such as roads, hardly change a squared error, but are large in the
    band of their width. A pyramid is linear, so one pyramid of the difference is enough.

    Args:
        levels: Number of bands, including the final low pass.
        include_lowpass: Whether the final low pass counts as a band.
        mix_gaps: Whether the blur uses the values in gaps, which must then be finite, as in the
            published code. By default prediction and target are 0 in gaps. In both cases a band
            counts only valid pixels.

    Shape:
        - prediction, target, valid: (..., H, W), H and W at least ``2 ** (levels - 1)``; returns:
          a scalar.

    Raises:
        ConfigError: If there is no band to count.
        ShapeError: If a frame is too small for the number of levels.

    Source:
        GMoncrieff/spatio-temporal@d765a15, ``src/models/losses.py``: Gaussian of 5, sigma 1, zeros
        around the frame; a level is valid where more than half of the four pixels below are.
    """

    weights: Tensor

    def __init__(
        self, *, levels: Count = 3, include_lowpass: bool = True, mix_gaps: bool = False
    ) -> None:
        super().__init__()
        if levels - (not include_lowpass) < 1:
            raise ConfigError(
                f"levels={levels} without the low pass leaves no band; use more levels"
            )
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
            # bilinear interpolation to half the size without aligned corners averages four pixels
            coarse = F.avg_pool2d(blur(rest, self.weights, padding=SIZE // 2), 2)
            upsampled = F.interpolate(coarse, size=rest.shape[-2:], mode="bilinear")
            errors.append(mean_over_valid((rest - upsampled).abs(), known))
            rest, known = coarse, None if known is None else _halved(known)
        if self.include_lowpass:
            errors.append(mean_over_valid(rest.abs(), known))
        return torch.stack(errors).mean()


def _halved(valid: Tensor) -> Tensor:
    """Return where more than half of each four pixels are valid."""
    return F.avg_pool2d(valid.float(), 2) > 0.5
