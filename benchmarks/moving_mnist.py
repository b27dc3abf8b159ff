"""Drawing Moving MNIST sequences in one worker of a DataLoader."""

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.harness import Row, compare
from openstl_ext.datasets.formats.idx import read_idx_images
from openstl_ext.datasets.moving_mnist.dataset import MovingMNIST
from openstl_ext.datasets.synthetic.moving_mnist import TRAIN_DIGITS, write

NUM_SEQUENCES, NUM_FRAMES, SIDE, DIGIT, SPEED = 2000, 20, 64, 28, 0.1


def places_frame_by_frame() -> tuple[np.ndarray, np.ndarray]:
    """Return positions as published: NumPy scalars, one assignment per frame and axis."""
    x, y, turn = random.random(), random.random(), random.random() * 2 * np.pi
    along_y, along_x = [np.sin(turn)] * NUM_FRAMES, [np.cos(turn)] * NUM_FRAMES
    rows, columns = np.zeros(NUM_FRAMES), np.zeros(NUM_FRAMES)
    sign_x = sign_y = 1
    for t, dx, dy in zip(range(NUM_FRAMES), along_x, along_y, strict=True):
        y += sign_y * dy * SPEED
        x += sign_x * dx * SPEED
        if x <= 0 or x >= 1:
            x, sign_x = min(max(x, 0.0), 1.0), -sign_x
        if y <= 0 or y >= 1:
            y, sign_y = min(max(y, 0.0), 1.0), -sign_y
        rows[t], columns[t] = y, x
    room = SIDE - DIGIT
    return (room * rows).astype(np.int32), (room * columns).astype(np.int32)


def draw_frame_by_frame(digits: np.ndarray) -> tuple[Tensor, Tensor]:
    """Draw a sequence digit by digit and frame by frame."""
    canvas = np.zeros((NUM_FRAMES, SIDE, SIDE), np.float32)
    for _ in range(2):
        rows, columns = places_frame_by_frame()
        digit = digits[random.randint(0, len(digits) - 1)]
        for t in range(NUM_FRAMES):
            top, left = rows[t], columns[t]
            here = np.s_[t, top : top + DIGIT, left : left + DIGIT]
            canvas[here] = np.maximum(canvas[here], digit)
    frames = canvas.reshape(NUM_FRAMES, 1, SIDE, SIDE)
    half = NUM_FRAMES // 2
    past, future = frames[:half] / 255.0, frames[half:] / 255.0
    return (
        torch.from_numpy(past).contiguous().float(),
        torch.from_numpy(future).contiguous().float(),
    )


def times(call: Callable[[int], object]) -> Callable[[], None]:
    def repeat() -> None:
        for index in range(NUM_SEQUENCES):
            call(index)

    return repeat


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), num_digits=600, num_sequences=1)
        digits = read_idx_images(Path(folder) / TRAIN_DIGITS)
        ours = MovingMNIST(root=folder, split="train", val_fraction=0)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as in a worker of a DataLoader
        slow, fast = compare(times(lambda _: draw_frame_by_frame(digits)), times(ours.__getitem__))
        torch.set_num_threads(threads)
    name = f"draw {NUM_SEQUENCES} Moving MNIST sequences of {NUM_FRAMES} x {SIDE} x {SIDE}"
    yield Row(name, "a digit of a frame at a time", slow, fast, 3)
