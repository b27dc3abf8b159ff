"""Synthetic digits and sequences in the format of Moving MNIST."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file, atomic_write
from openstl_ext.datasets.formats.idx import idx_bytes
from openstl_ext.datasets.synthetic.marker import mark
from openstl_ext.datasets.synthetic.moving_digits import DIGIT_SIZE, draw
from openstl_ext.progress_line import tracked

TRAIN_DIGITS = "train-images-idx3-ubyte.gz"
TEST_DIGITS = "t10k-images-idx3-ubyte.gz"
TEST = "mnist_test_seq.npy"


def write(root: Path, *, num_digits: int = 600, num_sequences: int = 100, seed: int = 0) -> None:
    """Write images of random strokes instead of digits, and test sequences of them.

    Args:
        root: Folder to write to.
        num_digits: Images in the training file; the test file has a third of it.
        num_sequences: Sequences of the test set; the real one has 10,000.
        seed: Seed of all draws.
    """
    chance = np.random.default_rng(seed)
    root.mkdir(parents=True, exist_ok=True)
    mark(root, "Moving MNIST")
    atomic_write(root / TRAIN_DIGITS, idx_bytes(scribbles(num_digits, chance)))
    digits = scribbles(max(2, num_digits // 3), chance)
    atomic_write(root / TEST_DIGITS, idx_bytes(digits))
    sequences = np.empty((20, num_sequences, 64, 64), np.uint8)
    for index in tracked(range(num_sequences), "drawing", "sequences"):
        chances = chance.random((2, 4)).tolist()
        frames = draw(digits, chances, speed=0.1, num_frames=20, image_size=64)
        sequences[:, index] = np.rint(255 * frames)
    with atomic_file(root / TEST) as file:
        np.save(file, sequences)


def scribbles(count: int, chance: np.random.Generator) -> NDArray[np.uint8]:
    """Draw images (count, 28, 28) of one smooth stroke each, as large and as thick as a digit."""
    images = np.zeros((count, DIGIT_SIZE, DIGIT_SIZE), np.uint8)
    for image in tracked(images, "drawing", "strokes"):
        points = 4 + 20 * chance.random((4, 2))
        t = np.linspace(0, 1, 24)[:, None]
        weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
        stroke = np.rint(16 * (weights @ points)).astype(np.int32)
        cv2.polylines(image, [stroke], False, 255, thickness=3, lineType=cv2.LINE_AA, shift=4)
    return images
