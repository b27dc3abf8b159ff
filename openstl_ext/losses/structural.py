"""Loss from the structural similarity: 1 - SSIM."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ShapeError
from openstl_ext.losses.gaussian import blur, gaussian_weights
from openstl_ext.losses.pixel import filled, mean_over_valid
from openstl_ext.registry import LOSSES
from openstl_ext.value_types import Positive

SIZE, SIGMA = 11, 1.5


@LOSSES.register_module()
class StructuralDissimilarity(nn.Module):
    """1 - SSIM, mean over windows that contain valid pixels only.

    A squared error favours blurred forecasts; this loss also depends on the local contrast.

    Args:
        data_range: Range of the compared values; of normalised values if the loss gets those.
        zero_filled: Whether windows with gaps count too, with both images 0 in the gap. This gives
            a better score, because the gaps are equal.

    Shape:
        - prediction, target, valid: (..., H, W), H and W at least 11; returns: a scalar, from 0
          for equal images up to 2.

    Raises:
        ShapeError: If a frame is smaller than the window.

    Source:
        Wang et al., Image quality assessment: from error visibility to structural similarity
        (2004): Gaussian window of 11, sigma 1.5, population covariance, K1 = 0.01, K2 = 0.03.
        GMoncrieff/spatio-temporal@4eb523d trains with `StructuralDissimilarityTorchmetrics`.

    Deviations:
        Windows with gaps are not counted unless ``zero_filled``.
    """

    weights: Tensor

    def __init__(self, *, data_range: Positive = 1.0, zero_filled: bool = False) -> None:
        super().__init__()
        self.data_range, self.zero_filled = float(data_range), zero_filled
        self.register_buffer("weights", gaussian_weights(SIZE, SIGMA), persistent=False)

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        height, width = target.shape[-2:]
        check_size(target, SIZE)
        x, y = (f.reshape(-1, 1, height, width) for f in filled(prediction, target, valid))
        similarity = similarity_map(x, y, self.weights, self.data_range)
        if valid is None or self.zero_filled:
            # times 0 without valid pixels, so that such a batch has no gradient
            known = 1.0 if valid is None else valid.any()
            return (1 - similarity).mean() * known
        gap = (~valid).reshape(-1, 1, height, width).float()
        return mean_over_valid(1 - similarity, F.max_pool2d(gap, SIZE, stride=1) == 0)


@LOSSES.register_module()
class StructuralDissimilarityTorchmetrics(nn.Module):
    """1 - SSIM as torchmetrics computes it: mean over all pixels, with reflected borders.

    Each pixel is the centre of a window. A window that extends beyond the frame contains the
    reflected pixels, so pixels near a border count more than in `StructuralDissimilarity`.

    Args:
        data_range: Range of the compared values; of normalised values if the loss gets those.

    Shape:
        - prediction, target, valid: (..., H, W), H and W at least 6; returns: a scalar, from 0 for
          equal images up to 2. Both images are 0 where ``valid`` is False, and these pixels count
          too, as in the published training: a frame with many gaps has a small loss.

    Raises:
        ShapeError: If a frame is too small to be reflected.

    Source:
        Lightning-AI/torchmetrics@1.9.0, ``functional/image/ssim.py`` with its defaults (Gaussian
        window of 11, sigma 1.5, population covariance), as in
        GMoncrieff/spatio-temporal@d765a15, ``lightning_module.py``.
    """

    weights: Tensor

    def __init__(self, *, data_range: float = 1.0) -> None:
        super().__init__()
        self.data_range = float(data_range)
        self.register_buffer("weights", gaussian_weights(SIZE, SIGMA), persistent=False)

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        check_size(target, SIZE // 2 + 1)
        height, width = target.shape[-2:]
        x, y = (
            F.pad(f.reshape(-1, 1, height, width), [SIZE // 2] * 4, mode="reflect")
            for f in filled(prediction, target, valid)
        )
        # times 0 without valid pixels, so that such a batch has no gradient
        known = 1.0 if valid is None else valid.any()
        return (1 - similarity_map(x, y, self.weights, self.data_range)).mean() * known


def check_size(frames: Tensor, least: int) -> None:
    """Raise an error for frames (..., H, W) of less than a number of pixels per side."""
    height, width = frames.shape[-2:]
    if min(height, width) < least:
        raise ShapeError(
            f"structural similarity needs frames of at least {least} x {least} pixels, got "
            f"{height} x {width}; use larger chips, or a loss without a window"
        )


def similarity_map(x: Tensor, y: Tensor, weights: Tensor, data_range: float) -> Tensor:
    """Compute the similarity under each window that lies within a frame.

    Args:
        x: Predicted frames, through which gradients flow.
        y: Observed frames.
        weights: Weights along each side of the window.
        data_range: Range of the compared values.

    Shape:
        - x, y: (N, 1, H, W); weights: (S,); returns: (N, 1, H - S + 1, W - S + 1).
    """
    # subtract the mean first: second moments about 0 lose their digits in float32
    centre = y.detach().mean(dim=(-2, -1), keepdim=True)
    x, y = x - centre, y - centre
    moments = blur(torch.cat([x, y, x * x + y * y, x * y]), weights)
    x_mean, y_mean, squares, product = moments.chunk(4)
    spread = squares - x_mean.square() - y_mean.square()
    shared = product - x_mean * y_mean
    x_mean, y_mean = x_mean + centre, y_mean + centre
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    similarity = (2 * x_mean * y_mean + c1) * (2 * shared + c2)
    return similarity / ((x_mean.square() + y_mean.square() + c1) * (spread + c2))
