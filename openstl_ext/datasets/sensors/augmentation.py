"""Random flips, quarter turns and crops that act alike on all images of a place.

Everything is drawn from torch's global generator, which the engine seeds for each item.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from openstl_ext.datasets.sensors.resampling import resampled
from openstl_ext.errors import ConfigError


@dataclass(frozen=True)
class Box:
    """Part of a footprint, in shares of its height and width, so it fits any number of pixels.

    Args:
        top: Distance of the first row from the upper edge.
        left: Distance of the first column from the left edge.
        side: Height and width.
    """

    top: float = 0.0
    left: float = 0.0
    side: float = 1.0


def draw_box(area: tuple[float, float] = (0.25, 1.0)) -> Box:
    """Draw a part of a footprint: first its share of the area, uniformly, then its place.

    Height and width are the same share of those of the footprint, whose shape is thus kept.

    Args:
        area: Smallest and largest share of the area.
    """
    share, down, right = torch.rand(3, dtype=torch.float64).tolist()
    side = (area[0] + (area[1] - area[0]) * share) ** 0.5
    return Box(down * (1 - side), right * (1 - side), side)


def cropped(array: np.ndarray, box: Box, size: int) -> np.ndarray:
    """Resample a part of an image to a square; its edges may lie between pixels.

    Args:
        array: An image without NaN, resampled with bicubic splines after a low-pass filter where it
            shrinks, and clipped to the range of each band; or a map of labels, of which the
            nearest is taken.
        box: The part.
        size: Height and width of the result.

    Shape:
        - array: (C, H, W), or (H, W) for labels.
        - returns: (C, size, size), float32; or (size, size) of the type of the labels.
    """
    height, width = array.shape[-2:]
    rows, columns = (box.top * height, box.side * height), (box.left * width, box.side * width)
    if array.ndim == 2:
        return array[np.ix_(_nearest(height, *rows, size), _nearest(width, *columns, size))]
    image = array.astype(np.float32)
    if box == Box() and (height, width) == (size, size):
        return image
    return resampled(image, (*rows, size), (*columns, size))


def cropped_at_random(
    arrays: Sequence[np.ndarray], size: int, *, area: tuple[float, float] = (0.25, 1.0)
) -> list[np.ndarray]:
    """Resample the same random part of several images of one footprint to a square.

    Args:
        arrays: Images (C, H, W) and maps of labels (H, W), of any numbers of pixels.
        size: Height and width of the results.
        area: Smallest and largest share of the area.

    Source:
        SMARTIES, paired random resized crop. https://github.com/gsumbul/SMARTIES
    """
    box = draw_box(area)
    return [cropped(array, box, size) for array in arrays]


def draw_turns() -> tuple[bool, int]:
    """Draw whether to mirror and a number of quarter turns; all eight are equally likely."""
    mirror, turns = torch.rand(2).tolist()
    return mirror < 0.5, int(turns * 4)


def rotated(field: Tensor, mirror: bool, turns: int) -> Tensor:
    """Mirror a field (..., H, W) left to right if requested, then rotate it by quarter turns."""
    return torch.rot90(field.flip(-1) if mirror else field, turns, dims=(-2, -1)).contiguous()


def check_augment(augment: str | bool | None, split: str) -> None:
    """Refuse augmentation of evaluation data.

    Raises:
        ConfigError: If it is set for another split than train.
    """
    if augment and split != "train":
        raise ConfigError(f"augment is for training; remove it from the {split} dataset")


def flipped_and_turned(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Mirror several images of one footprint alike, then turn them by the same quarter turns.

    All eight results are equally likely. An odd number of turns exchanges height and width.

    Shape:
        - arrays: (C, H, W), or (H, W) for labels.
    """
    mirror, turns = draw_turns()
    return [
        np.ascontiguousarray(
            np.rot90(np.flip(array, -1) if mirror else array, turns, axes=(-2, -1))
        )
        for array in arrays
    ]


def _nearest(length: int, start: float, extent: float, size: int) -> np.ndarray:
    """Return the index of the nearest of ``length`` pixels for each of ``size`` new ones."""
    centres = start + (np.arange(size) + 0.5) * extent / size
    return np.clip(np.floor(centres).astype(int), 0, length - 1)
