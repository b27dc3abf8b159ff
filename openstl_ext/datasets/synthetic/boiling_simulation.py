"""The boiling simulation: heat spreads to the neighbours, rises, and vanishes as vapour."""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BOILING_POINT = 212.0
"""Degrees Fahrenheit at which a cell boils and starts anew from 0."""

CHUNK = 16
"""Samples simulated at once: few enough that a step stays in the processor's cache."""


def initial_states(
    num_samples: int, image_size: int, *, seed: int, block: int = CHUNK
) -> Iterator[NDArray[np.float32]]:
    """Random maps to start from, some at a time.

    Sample i does not depend on how many are asked for. The stream is that of numpy's
    ``RandomState``, which numpy promises never to change, so a seed means the same bytes for good;
    they are those of simvp_minimal after ``numpy.random.seed(seed)``.

    Args:
        num_samples: Number of maps.
        image_size: Side of a map, in cells.
        seed: What decides them.
        block: Maps yielded at a time.

    Shape:
        - yields: (block, 1, H, W), degrees Fahrenheit; the last block may be shorter.
    """
    random = np.random.RandomState(seed)
    for start in range(0, num_samples, block):
        size = (min(block, num_samples - start), 1, image_size, image_size)
        yield random.uniform(0.0, BOILING_POINT, size).astype(np.float32)


def sample_name(initial: NDArray[np.float32], index: int) -> str:
    """Folder name of a sample, as in simvp_minimal: a hash of the initial map, and a number."""
    return f"{hashlib.sha256(initial.tobytes()).hexdigest()}_boiling_{index}"


def simulate(
    initial: NDArray[np.float32], num_frames: int, *, increment: float = 10, scale: float = 1
) -> NDArray[np.float32]:
    """Boil every map for a while.

    A step replaces each cell by the mean of its eight neighbours (itself not counted, edges
    periodic), adds the increment, and takes the rest of division by the boiling point.

    Args:
        initial: Maps to start from, degrees Fahrenheit.
        num_frames: Length of the history, the initial map included.
        increment: Degrees added to every cell at each step.
        scale: What the history is divided by: 1 for degrees, the boiling point for shares of it.

    Shape:
        - initial: (N, 1, H, W); returns: (N, num_frames, 1, H, W), in units of the scale.

    Source:
        CCU-LANL-AIML/simvp_minimal@be7db3d, ``tools/data/generate_boiling_data.py``. Equal to the
        last bit: neighbours are added in its order, each eighth rounded to float32 first.
    """
    history = np.empty((len(initial), num_frames, *initial.shape[1:]), dtype=np.float32)
    for start in range(0, len(initial), CHUNK):
        part = slice(start, start + CHUNK)
        _boil(initial[part, 0], history[part, :, 0], increment, np.float32(scale))
    return history


def _boil(
    initial: NDArray[np.float32],
    history: NDArray[np.float32],
    increment: float,
    scale: np.float32,
) -> None:
    """Fill a history (n, T, H, W).

    The maps lie in one row of memory with a border of one cell around each, so that every
    neighbour is a plain shift of the whole row. What is computed on the borders is never read.
    """
    count, height, width = initial.shape
    eighths = np.zeros((count, height + 2, width + 2), dtype=np.float32)
    bordered = np.zeros_like(eighths)
    cells = bordered[:, 1:-1, 1:-1]
    cells[...] = initial
    np.divide(cells, scale, out=history[:, 0])
    first = width + 3  # the first cell that is no border
    row = slice(first, eighths.size - first)
    flat, total = eighths.reshape(-1), bordered.reshape(-1)[row]
    # seen from a cell, a shift by (dx, dy) brings the neighbour at (-dx, -dy)
    shifts = [-(dx * (width + 2) + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]
    neighbours = [flat[row.start + shift : row.stop + shift] for shift in shifts]
    for frame in range(1, history.shape[1]):
        np.multiply(bordered, np.float32(1 / 8), out=eighths)
        _wrap_edges(eighths)
        np.add(neighbours[0], neighbours[1], out=total)
        for neighbour in neighbours[2:]:
            np.add(total, neighbour, out=total)
        np.add(total, np.float32(increment), out=total)
        _boil_off(total)
        np.divide(cells, scale, out=history[:, frame])


def _wrap_edges(maps: NDArray[np.float32]) -> None:
    """Copy each edge to the border of the opposite side; rows last, so that corners follow."""
    maps[:, :, 0], maps[:, :, -1] = maps[:, :, -2], maps[:, :, 1]
    maps[:, 0], maps[:, -1] = maps[:, -2], maps[:, 1]


def _boil_off(cells: NDArray[np.float32]) -> None:
    """Rest of division by the boiling point, in place.

    Below twice the divisor the rest is one subtraction, exact in floating point and 15 times
    cheaper than ``np.remainder``.
    """
    low, high, point = cells.min(), cells.max(), np.float32(BOILING_POINT)
    if low < 0 or high >= 2 * BOILING_POINT:
        np.remainder(cells, point, out=cells)
    elif high >= point:
        np.subtract(cells, np.multiply(cells >= point, point, dtype=np.float32), out=cells)
