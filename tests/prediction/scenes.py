"""Small scenes and nets for maps."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from openstl_ext.prediction.forecasting import FramesScene
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window
from openstl_ext.registry import METHODS

REACH = 2
"""Radius of the receptive field of the nets below, in pixels."""
UTM = Grid(
    height=70,
    width=90,
    crs='LOCAL_CS["metres",UNIT["metre",1]]',
    transform=(30.0, 0.0, 500_000.0, 0.0, -30.0, 4_000_000.0),
)


class Landscape(FramesScene):
    """Random frames with a georeference."""

    def __init__(self, *, num_frames: int = 3, grid: Grid = UTM, clip=None) -> None:
        draw = np.random.default_rng(0)
        shape = (num_frames, 2, grid.height, grid.width)
        super().__init__(draw.random(shape, dtype=np.float32))
        self.grid, self.clip = grid, clip

    def steps(self, horizon: int) -> list[str]:
        return [str(2025 + 5 * k) for k in range(horizon)]


class Blur(nn.Module):
    """Two convolutions over all frames, to any number of channels."""

    def __init__(self, num_channels: int, *, num_frames: int = 3, steps: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.steps = steps
        self.first = nn.Conv2d(2 * num_frames, 4, 3, padding=1)
        self.second = nn.Conv2d(4, num_channels * (steps or 1), 3, padding=1)

    def forward(self, frames: Tensor) -> Tensor:
        found = self.second(self.first(frames.flatten(1, 2)).tanh())
        return found if self.steps is None else found.unflatten(1, (self.steps, -1))


def segmentation(num_logits: int = 1, threshold: float = 0.5) -> nn.Module:
    """Build a method that predicts classes."""
    loss = {"type": "BCEDice" if num_logits == 1 else "CrossEntropyDice"}
    return METHODS.get("Segmentation")(net=Blur(num_logits), loss=loss, threshold=threshold)


def forecasting(steps: int = 2) -> nn.Module:
    """Build a method that predicts frames."""
    return METHODS.get("DirectForecast")(net=Blur(2, steps=steps), loss={"type": "L2"})


def far_from_edges(tiles: Iterator[Window], height: int, width: int) -> np.ndarray:
    """Return the pixels whose receptive field is inside every tile that covers them."""
    good = np.ones((height, width), dtype=bool)
    for tile in tiles:
        inner = np.zeros((height, width), dtype=bool)
        top = tile.row + REACH * (tile.row > 0)
        left = tile.column + REACH * (tile.column > 0)
        end, right = tile.row + tile.height, tile.column + tile.width
        bottom, right = end - REACH * (end < height), right - REACH * (right < width)
        inner[top:bottom, left:right] = True
        covered = np.zeros_like(good)
        covered[tile.slices] = True
        good &= inner | ~covered
    return good
