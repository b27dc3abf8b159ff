"""Boiling simulation: heat spreads to the neighbours, rises, and restarts from 0 at 212 F."""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BOILING_POINT = 212.0
"""Degrees Fahrenheit at which a cell boils and restarts from 0."""

CHUNK = 16
"""Samples simulated at once; a step on so few fits into the processor's cache."""


def initial_states(
    num_samples: int, image_size: int, *, seed: int, block: int = CHUNK
) -> Iterator[NDArray[np.float32]]:
    """Draw random initial maps, a block at a time.

    Sample i does not depend on the number of samples. The stream is that of numpy's
    ``RandomState``, which numpy keeps unchanged, so a seed always gives the same bytes; they are
    those of simvp_minimal after ``numpy.random.seed(seed)``.

    Args:
        num_samples: Number of maps.
        image_size: Side of a map, in cells.
        seed: Seed of the maps.
        block: Maps of a block.

    Shape:
        - yields: (block, 1, H, W), degrees Fahrenheit; the last block may be shorter.
    """
    random = np.random.RandomState(seed)
    for start in range(0, num_samples, block):
        size = (min(block, num_samples - start), 1, image_size, image_size)
        yield random.uniform(0.0, BOILING_POINT, size).astype(np.float32)


def sample_name(initial: NDArray[np.float32], index: int) -> str:
    """Return the folder name of a sample, as in simvp_minimal: hash of the map, and number."""
    return f"{hashlib.sha256(initial.tobytes()).hexdigest()}_boiling_{index}"


def simulate(
    initial: NDArray[np.float32], num_frames: int, *, increment: float = 10, scale: float = 1
) -> NDArray[np.float32]:
    """Simulate every map for some steps.

    A step replaces each cell by the mean of its eight neighbours (without itself, edges
    periodic), adds the increment, and takes the remainder of division by the boiling point.

    Args:
        initial: Initial maps, degrees Fahrenheit.
        num_frames: Length of the history, the initial map included.
        increment: Degrees added to every cell at each step.
        scale: Divisor of the history: 1 for degrees, the boiling point for shares of it.

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

    The maps are one row of memory with a border of one cell around each, so that every
    neighbour is a shift of the row. Values computed on the borders are not used.
    """
    count, height, width = initial.shape
    eighths = np.zeros((count, height + 2, width + 2), dtype=np.float32)
    bordered = np.zeros_like(eighths)
    cells = bordered[:, 1:-1, 1:-1]
    cells[...] = initial
    np.divide(cells, scale, out=history[:, 0])
    first = width + 3  # the first cell inside the border
    row = slice(first, eighths.size - first)
    flat, total = eighths.reshape(-1), bordered.reshape(-1)[row]
    # a shift by (dx, dy) moves the neighbour at (-dx, -dy) to a cell
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
    """Copy each edge to the border of the opposite side; rows last, which includes the corners."""
    maps[:, :, 0], maps[:, :, -1] = maps[:, :, -2], maps[:, :, 1]
    maps[:, 0], maps[:, -1] = maps[:, -2], maps[:, 1]


def _boil_off(cells: NDArray[np.float32]) -> None:
    """Take the remainder of division by the boiling point, in place.

    Below twice the divisor it is one subtraction, exact in floating point and 15 times faster
    than ``np.remainder``.
    """
    low, high, point = cells.min(), cells.max(), np.float32(BOILING_POINT)
    if low < 0 or high >= 2 * BOILING_POINT:
        np.remainder(cells, point, out=cells)
    elif high >= point:
        np.subtract(cells, np.multiply(cells >= point, point, dtype=np.float32), out=cells)
