"""Motion and drawing of the digits."""

import math

import numpy as np
import pytest

from openstl_ext.datasets.synthetic.moving_digits import bounce, draw


def published_way(x: float, y: float, turn: float, steps: int) -> list[tuple[int, int]]:
    """Follow the published rule: step, then stop at an edge and reverse."""
    towards_x, towards_y, places = 1, 1, []
    for _ in range(steps):
        y += towards_y * math.sin(2 * math.pi * turn) * 0.1
        x += towards_x * math.cos(2 * math.pi * turn) * 0.1
        if x <= 0:
            x, towards_x = 0.0, -towards_x
        if x >= 1:
            x, towards_x = 1.0, -towards_x
        if y <= 0:
            y, towards_y = 0.0, -towards_y
        if y >= 1:
            y, towards_y = 1.0, -towards_y
        places.append((int(36 * y), int(36 * x)))
    return places


def test_digits_follow_the_published_rule() -> None:
    """Training would show other motion than the published test set."""
    for x, y, turn in np.random.default_rng(0).random((200, 3)).tolist():
        ours = bounce((y, x), 2 * math.pi * turn, speed=0.1, num_frames=50, image_size=64)
        assert [divmod(corner, 64) for corner in ours] == published_way(x, y, turn, 50)


@pytest.mark.parametrize(
    ("start", "angle", "expected"),
    [
        ((0.5, 0.75), 0.0, [(5, 10), (5, 7), (5, 5), (5, 2), (5, 0), (5, 2)]),
        ((0.65, 0.5), -math.pi / 2, [(4, 5), (1, 5), (0, 5), (2, 5), (5, 5), (7, 5)]),
    ],
)
def test_a_digit_stops_at_an_edge_and_reverses(
    start: tuple[float, float], angle: float, expected: list[tuple[int, int]]
) -> None:
    """Digits would leave the canvas or jump at its edge."""
    path = bounce(start, angle, speed=0.25, num_frames=6, image_size=38)
    assert [divmod(corner, 38) for corner in path] == expected


def test_every_frame_has_every_digit_at_its_position() -> None:
    """Digits would be drawn at other positions or in the next frame."""
    chance = np.random.default_rng(1)
    digits = chance.integers(0, 256, (5, 28, 28), dtype=np.uint8)
    chances = chance.random((3, 4)).tolist()
    for size in (28, 29, 64):
        frames = draw(digits, chances, speed=0.3, num_frames=12, image_size=size)
        expected = np.zeros((12, size, size), np.float32)
        for x, y, turn, which in chances:
            digit = digits[int(5 * which)]
            way = bounce((y, x), 2 * math.pi * turn, speed=0.3, num_frames=12, image_size=size)
            for frame, corner in zip(expected, way, strict=True):
                top, left = divmod(corner, size)
                here = frame[top : top + 28, left : left + 28]
                np.maximum(here, digit / np.float32(255), out=here)
        np.testing.assert_array_equal(frames, expected)


def test_corners_of_the_canvas_can_be_drawn() -> None:
    """A digit in the last corner of the last frame would raise an IndexError."""
    white = np.full((1, 28, 28), 255, np.uint8)
    frames = draw(white, [[1.0, 1.0, 0.125, 0.0]], speed=0.1, num_frames=1, image_size=40)
    assert frames[0, 12:, 12:].min() == 1
    assert frames.sum() == 28 * 28
