"""Baseline that moves each pixel of the last frame along the optical flow."""

from types import ModuleType
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import FrameModel
from openstl_ext.layers.advection import advect
from openstl_ext.registry import MODELS

SMALLEST = {"farneback": 8, "dis": 16}
"""Smallest side of a frame that OpenCV's methods take."""


@MODELS.register_module()
class OpticalFlow(nn.Module):
    """Move each pixel of the last frame with the flow between the last two frames.

    The flow is that of the mean of all channels, on the CPU, in 8 bits of the range of the two
    frames; it is followed backwards from each pixel, step by step. Pixels from outside the frame
    have the value of its edge; missing ones (NaN) move with the frame.

    Args:
        method: ``farneback`` is smooth; ``dis`` (dense inverse search) is faster and sharper.

    Shape:
        - frames: (B, T, C, H, W), T at least 2; returns: (B, T, C, H, W).

    Raises:
        ConfigError: If OpenCV is not installed.
        ShapeError: If there are fewer than two frames, or they are too small.

    Source:
        OpenCV's calcOpticalFlowFarneback and DISOpticalFlow: Farneback (2003), Kroeger et al.
        (arXiv:1603.03590).
    """

    interface = FrameModel

    def __init__(self, *, method: Literal["farneback", "dis"] = "farneback") -> None:
        super().__init__()
        self.method = method

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {}

    def forward(self, frames: Tensor) -> Tensor:
        length, smallest = frames.shape[1], SMALLEST[self.method]
        if length < 2 or min(frames.shape[-2:]) < smallest:
            raise ShapeError(
                f"OpticalFlow({self.method!r}) needs two input frames or more of at least "
                f"{smallest} x {smallest} pixels, got {length} of {tuple(frames.shape[-2:])}; "
                "remove it from the baselines"
            )
        pairs = frames[:, -2:].detach().float().cpu().numpy()
        flow = np.stack([_backward_flow(pair, self.method) for pair in pairs])
        step = torch.from_numpy(flow).to(frames.device)
        last, path, outputs = frames[:, -1].float(), torch.zeros_like(step), []
        for _ in range(length):
            path = path + advect(step, path)
            outputs.append(advect(last, path))
        return torch.stack(outputs, dim=1)


def _backward_flow(pair: NDArray[np.float32], method: str) -> NDArray[np.float32]:
    """Return the displacement (2, H, W), rows and columns, from the last frame to the one before.

    Shape:
        - pair: (2, C, H, W).
    """
    cv2 = _opencv()
    known = np.isfinite(pair)
    count = np.maximum(known.sum(axis=1), 1)
    grey = np.where(known, pair, 0).sum(axis=1) / count
    low, high = grey.min(), grey.max()
    before, last = (255 * (grey - low) / max(high - low, 1e-12)).round().astype(np.uint8)
    if method == "dis":
        search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        flow = search.calc(last, before, None)
    else:
        window = min(15, *last.shape)
        options = {"pyr_scale": 0.5, "levels": 3, "winsize": window, "iterations": 5}
        options |= {"poly_n": 5, "poly_sigma": 1.1, "flags": 0}
        flow = cv2.calcOpticalFlowFarneback(last, before, None, **options)
    return np.ascontiguousarray(flow[..., ::-1].transpose(2, 0, 1), dtype=np.float32)


def _opencv() -> ModuleType:
    try:
        import cv2
    except ImportError as error:
        raise ConfigError(
            "OpticalFlow needs OpenCV; run `pip install opencv-python-headless`"
        ) from error
    return cv2
