"""A spot that moves straight, then turns left or right at random."""

import math

import torch
from torch import Tensor

from openstl_ext.errors import ConfigError


def branch_offsets(
    num_steps: int, *, speed: float, straight: int, angle: float
) -> tuple[Tensor, Tensor]:
    """Return the positions of both branches relative to the first, for a motion to the right.

    Args:
        num_steps: Number of frames.
        speed: Pixels per frame.
        straight: Number of the last frame that is on the line of the first ones.
        angle: Angle of the turn, in degrees; the left branch turns counter-clockwise.

    Shape:
        - returns: twice (T, 2), x to the right and y down, in pixels.
    """
    steps = torch.arange(num_steps, dtype=torch.float64)
    along = speed * steps.clamp(max=straight)
    turned = speed * (steps - straight).clamp(min=0)
    radians = math.radians(angle)
    x, y = along + turned * math.cos(radians), turned * math.sin(radians)
    return torch.stack([x, -y], dim=1), torch.stack([x, y], dim=1)


def draw_branches(
    num_steps: int,
    *,
    image_size: int,
    speed: float,
    straight: int,
    angle: float,
    radius: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw a start and a direction such that both branches stay in the image, and render them.

    Args:
        num_steps: Number of frames.
        image_size: Side of a frame, in pixels.
        speed: Pixels per frame.
        straight: Number of the last frame before the turn, from 0.
        angle: Angle of the turn, in degrees.
        radius: Standard deviation of the spot, a Gaussian of height 1, in pixels.
        generator: Source of the start and of the direction; None for torch's own.

    Shape:
        - returns: (2, T, 1, H, W), float32: the left branch, then the right one, equal up to
          frame ``straight``.

    Raises:
        ConfigError: If the image is too small for the motion.
    """
    both = branch_offsets(num_steps, speed=speed, straight=straight, angle=angle)
    offsets = torch.stack(both)
    extent = torch.cdist(offsets.flatten(0, 1), offsets.flatten(0, 1)).max()  # of any direction
    if image_size - 1 - 2 * radius < extent:
        raise ConfigError(
            f"a spot of radius={radius:g} with speed={speed:g} leaves an image of {image_size} "
            f"pixels within {num_steps} frames; reduce speed or radius, or increase image_size"
        )
    direction = 2 * math.pi * torch.rand((), generator=generator, dtype=torch.float64)
    place = torch.rand(2, generator=generator, dtype=torch.float64)
    cos, sin = direction.cos(), direction.sin()
    rotation = torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])
    paths = offsets @ rotation.T
    least, most = paths.amin(dim=(0, 1)), paths.amax(dim=(0, 1))
    room = image_size - 1 - 2 * radius - (most - least)
    positions = paths - least + radius + place * room
    pixels = torch.arange(image_size, dtype=torch.float64)
    x = (-((pixels - positions[..., :1]) ** 2) / (2 * radius**2)).exp()
    y = (-((pixels - positions[..., 1:]) ** 2) / (2 * radius**2)).exp()
    return (y[..., :, None] * x[..., None, :]).float().unsqueeze(2)
