"""Digits that move over a black canvas and bounce off its edges."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DIGIT_SIZE = 28


def bounce(
    start: tuple[float, float], angle: float, *, speed: float, num_frames: int, image_size: int
) -> list[int]:
    """Compute the pixel index of a digit's upper left corner in each frame.

    The digit moves one step before the first frame. At an edge it stops for this frame and
    reverses, without the remaining part of the step: the published rule.

    Args:
        start: Start (top, left), each as a share of the room.
        angle: Direction, in radians.
        speed: Length of a step, as a share of the room.
        num_frames: Number of frames.
        image_size: Side S of the canvas, in pixels; the room is S - 28.

    Returns:
        ``top * S + left``, in whole pixels, for each frame.

    Source:
        Srivastava et al. (arXiv:1502.04681), as in OpenSTL@c74deb5, dataloader_moving_mnist.py.
    """
    room = float(image_size - DIGIT_SIZE)
    top, left = room * start[0], room * start[1]
    down, right = room * speed * math.sin(angle), room * speed * math.cos(angle)
    corners = []
    for _ in range(num_frames):  # Python numbers: numpy is slower for so few
        top += down
        left += right
        if not 0 < top < room:
            top, down = (0.0 if top <= 0 else room), -down
        if not 0 < left < room:
            left, right = (0.0 if left <= 0 else room), -right
        corners.append(int(top) * image_size + int(left))
    return corners


def draw(
    digits: NDArray[np.uint8],
    chances: Sequence[Sequence[float]],
    *,
    speed: float,
    num_frames: int,
    image_size: int,
) -> NDArray[np.float32]:
    """Draw a sequence of moving digits; where they overlap, the brighter one is visible.

    A digit is written to all frames at once, through a view of the canvas with one row for each
    position of a 28 x 28 window.

    Args:
        digits: Images (N, 28, 28) to choose from.
        chances: Four numbers in [0, 1) for each digit: start (left, top), direction as a share of
            a full turn, and index of the image.
        speed: Length of a step, as a share of the room to move.
        num_frames: Number of frames T.
        image_size: Side S of the canvas, in pixels.

    Returns:
        Frames (T, S, S) in [0, 1].
    """
    size = image_size
    canvas = np.zeros((num_frames, size, size), np.float32)
    frame_starts = np.arange(0, canvas.size, size**2)
    windows = np.ndarray(
        (canvas.size - (size + 1) * (DIGIT_SIZE - 1), DIGIT_SIZE, DIGIT_SIZE),
        np.float32,
        canvas,  # shares the memory of the canvas
        strides=(4, 4 * size, 4),
    )
    for count, (left, top, turn, which) in enumerate(chances):
        path = bounce(
            (top, left), math.tau * turn, speed=speed, num_frames=num_frames, image_size=size
        )
        rows = frame_starts + path
        image = digits[int(len(digits) * which)] / np.float32(255)
        if count == 0:
            windows[rows] = image
        else:
            below = windows[rows]
            windows[rows] = np.maximum(below, image, out=below)
    return canvas
