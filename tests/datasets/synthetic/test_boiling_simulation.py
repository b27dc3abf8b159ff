"""The boiling simulation."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.synthetic.boiling_simulation import (
    CHUNK,
    initial_states,
    sample_name,
    simulate,
)
from tests.parity.boiling_record import replay

RECORD = Path(__file__).parents[2] / "parity/golden/simvp_minimal_boiling.json"


def one_step(cells: np.ndarray, increment: float) -> np.ndarray:
    """Compute one step cell by cell, with the same rounding."""
    height, width = cells.shape
    after = np.zeros_like(cells)
    for i in range(height):
        for j in range(width):
            total = np.float32(0)
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    if dx or dy:
                        neighbour = cells[(i - dx) % height, (j - dy) % width]
                        total += neighbour * np.float32(1 / 8)
            after[i, j] = np.remainder(total + np.float32(increment), np.float32(212))
    return after


def test_the_simulation_equals_the_golden_record() -> None:
    """Generated data would differ from those of simvp_minimal."""
    quantities = list(replay(json.loads(RECORD.read_text())))
    assert {q.name for q in quantities} == {"history", "normalized", "final"}
    assert max(q.error for q in quantities) < 1e-8  # the record has nine digits


@pytest.mark.parametrize("increment", [10, 100, 150, 211.5, 250, 1000, -30])
@pytest.mark.parametrize("size", [(5, 7), (2, 1), (1, 1)])
def test_a_step_equals_its_formula_bit_for_bit(increment: float, size: tuple[int, int]) -> None:
    """Cells would boil at a wrong temperature; the record stays below it."""
    initial = np.random.RandomState(0).uniform(0, 212, (CHUNK + 1, 1, *size)).astype(np.float32)
    history = simulate(initial, 4, increment=increment)
    for sample in history[::CHUNK]:  # one of each chunk
        for before, after in zip(sample[:-1, 0], sample[1:, 0], strict=True):
            np.testing.assert_array_equal(after, one_step(before, increment))


def test_a_cell_at_the_boiling_point_restarts_from_zero() -> None:
    """Values of 1.0 and above would appear in data of the range [0, 1)."""
    level = np.full((1, 1, 3, 3), 112, dtype=np.float32)
    assert (simulate(level, 2, increment=100)[0, 1] == 0).all()
    assert (simulate(level, 2, increment=312)[0, 1] == 0).all()


def test_a_sample_does_not_depend_on_its_batch() -> None:
    """Heat would flow from one simulation into the next."""
    initial = np.concatenate(list(initial_states(CHUNK + 3, 6, seed=1)))
    together = simulate(initial, 15)
    for i in (0, 1, CHUNK - 1, CHUNK, CHUNK + 2):
        np.testing.assert_array_equal(together[i], simulate(initial[i : i + 1], 15)[0])


def test_initial_maps_are_numpys_legacy_stream_for_any_block_size() -> None:
    """A seed would give other data, or the number of samples would change them."""
    expected = np.random.RandomState(7).uniform(0, 212, (5, 1, 4, 4)).astype(np.float32)
    for block in (1, 2, 5):
        drawn = np.concatenate(list(initial_states(5, 4, seed=7, block=block)))
        np.testing.assert_array_equal(drawn, expected)
    assert sample_name(expected[2], 2) == (
        hashlib.sha256(expected[2].tobytes()).hexdigest() + "_boiling_2"
    )
