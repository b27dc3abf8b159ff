"""Structural similarity and peak signal-to-noise ratio by scikit-image, which papers call."""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from openstl_ext.metrics.windows import Window, check_window
from openstl_ext.structures import Sample

Implementation = Literal["torch", "scikit-image"]
"""Ours in torch, or the function of scikit-image; one frame after the other on the CPU."""


def similarity(
    forecast: Tensor, target: Tensor, *, window: Window, data_range: float, valid: Tensor
) -> tuple[Tensor, Tensor]:
    """Sum the similarity of scikit-image over all windows without an invalid pixel.

    Args:
        forecast: Forecast frames, clipped.
        target: Target frames.
        window: A Gaussian one, as of ``gaussian(11, 1.5)``, or a uniform one.
        data_range: Range of the values.
        valid: True where both are valid.

    Shape:
        - forecast, target, valid: (T, C, H, W); returns: two of (T,), float64.

    Raises:
        ShapeError: If a frame is smaller than the window.
    """
    from skimage.metrics import structural_similarity

    check_window(forecast, window, axes=2)

    settings: dict[str, Any] = {"win_size": window.size, "use_sample_covariance": True}
    if window.weights is not None:
        settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    half, count = window.size // 2, forecast.shape[0]
    inner = (..., slice(half, -half), slice(half, -half))
    bad = F.max_pool2d((~valid).float(), window.size, stride=1)
    whole = (bad == 0).cpu().numpy()
    pair = (torch.where(valid, part, 0.0).cpu().numpy() for part in (forecast, target))
    found, targets = pair
    totals = np.zeros(count)
    for index in np.ndindex(found.shape[:2]):
        _, similar = structural_similarity(
            found[index], targets[index], data_range=data_range, full=True, **settings
        )
        totals[index[0]] += np.where(whole[index], similar[inner], 0.0).sum(dtype=np.float64)
    counts = whole.sum(axis=(1, 2, 3)).astype(np.float64)
    device = target.device
    return torch.from_numpy(totals).to(device), torch.from_numpy(counts).to(device)


def peak_ratio(forecast: Tensor, sample: Sample, data_range: float) -> Tensor:
    """Return the peak signal-to-noise ratio of the valid pixels of each frame, in dB.

    Area weights do not apply; infinite for a frame without error, NaN for one without pixels.

    Shape:
        - forecast: (T, C, H, W), clipped; returns: (T,), float64.
    """
    from skimage.metrics import peak_signal_noise_ratio

    found = []
    for frame, target, valid in zip(forecast, sample["target"], sample["valid"], strict=True):
        pair = (part[valid].double().cpu().numpy() for part in (target, frame))
        with np.errstate(divide="ignore", invalid="ignore"):
            known = bool(valid.any())
            ratio = peak_signal_noise_ratio(*pair, data_range=data_range) if known else np.nan
        found.append(float(ratio))
    return torch.tensor(found, dtype=torch.float64, device=forecast.device)
