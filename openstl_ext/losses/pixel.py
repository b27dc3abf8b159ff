"""Pixel-wise losses, averaged over valid pixels."""

import torch
from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.registry import LOSSES


def mean_over_valid(error: Tensor, valid: Tensor | None) -> Tensor:
    """Compute the mean of an error over valid pixels; 0 if there are none.

    Shape:
        - error, valid: same shape; returns: a scalar.
    """
    if valid is None:
        return error.mean()
    # where, not a product: a gap can be NaN, and 0 * NaN is NaN, in the gradient too
    return torch.where(valid, error, 0.0).sum() / valid.sum().clamp(min=1)


def filled(prediction: Tensor, target: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
    """Convert both to float32 and set invalid pixels to 0, so that they do not affect gradients.

    Shape:
        - prediction, target, valid: same shape; returns: two tensors of that shape.

    Raises:
        ShapeError: If prediction and target differ in shape; a broadcast would train on it.
    """
    if prediction.shape != target.shape:
        raise ShapeError(
            f"the prediction has shape {tuple(prediction.shape)}, but its target has shape "
            f"{tuple(target.shape)}; the net must return frames of the target's shape"
        )
    prediction, target = prediction.float(), target.float()
    if valid is None:
        return prediction, target
    return torch.where(valid, prediction, 0.0), torch.where(valid, target, 0.0)


@LOSSES.register_module()
class L2(nn.Module):
    """Mean squared error over valid pixels.

    Shape:
        - prediction, target, valid: same shape; returns: a scalar.
    """

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        prediction, target = filled(prediction, target, valid)
        return mean_over_valid((prediction - target).square(), valid)


@LOSSES.register_module()
class L1(nn.Module):
    """Mean absolute error over valid pixels.

    Shape:
        - prediction, target, valid: same shape; returns: a scalar.
    """

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        prediction, target = filled(prediction, target, valid)
        return mean_over_valid((prediction - target).abs(), valid)
