"""Digits that drift over a black canvas and bounce off its edges."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DIGIT_SIZE = 28


def bounce(
    start: tuple[float, float], angle: float, *, speed: float, num_frames: int, image_size: int
) -> list[int]:
    """Where the upper left corner of a digit lies in each frame, as index of a pixel.

    A step is taken before the first frame. A digit that reaches an edge stops there for this frame
    and turns round, so what it would have travelled beyond is lost: the published rule.

    Args:
        start: Where it starts, (top, left), each a share of the room it has to move.
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
    for _ in range(num_frames):  # numbers of Python: numpy is slower at so few
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
    """A sequence of moving digits; where they overlap, the brighter one shows.

    A digit is painted into all frames at once, through a view of the canvas in which every place
    of a 28 x 28 window has a row of its own.

    Args:
        digits: Images (N, 28, 28) to choose from.
        chances: For each digit to draw four numbers in [0, 1): where it starts (left, top), its
            direction as a share of a full turn, and which of the images it is.
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
        canvas,  # the memory of the canvas: writing a window paints
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
