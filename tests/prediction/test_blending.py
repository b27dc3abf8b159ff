"""Blending of tiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openstl_ext.prediction.blending import Blender, bump, shares
from openstl_ext.prediction.tiles import Tiling
from openstl_ext.rasters.window import Window


@pytest.mark.parametrize("size", [1, 2, 7, 128])
def test_weights_of_a_tile_are_positive_and_largest_in_its_middle(size):
    """The outermost pixels of a raster would have no prediction."""
    weights = bump(size)
    assert (weights > 0).all()
    assert weights.argmax() in (size // 2, (size - 1) // 2)
    np.testing.assert_allclose(weights, weights[::-1])


cases = st.tuples(
    st.integers(1, 12), st.integers(0, 11), st.integers(1, 40), st.integers(1, 40)
).filter(lambda case: case[1] < case[0])


@given(cases)
def test_weights_of_all_tiles_sum_to_one(case):
    """Values would be too large or too small where tiles overlap."""
    size, overlap, height, width = case
    tiling = Tiling(height=height, width=width, size=size, overlap=overlap)
    total = np.zeros((height + size, width + size))
    rows, columns = shares(tiling.rows, size), shares(tiling.columns, size)
    for tile in tiling.covering(tiling.whole):
        weights = np.outer(rows[tile.row], columns[tile.column])
        assert (weights > 0).all()
        total[tile.slices] += weights
    np.testing.assert_allclose(total[:height, :width], 1, atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(cases, st.data())
def test_rows_are_emitted_once_in_order_and_complete(case, data):
    """Rows would lack a tile, or overwrite others in the map."""
    size, overlap, height, width = case
    tiling = Tiling(height=height, width=width, size=size, overlap=overlap)
    top = data.draw(st.integers(0, height - 1))
    left = data.draw(st.integers(0, width - 1))
    area = Window(top, left, height - top, data.draw(st.integers(1, width - left)))
    step = data.draw(st.integers(1, 9))
    found: list[np.ndarray] = []

    def sink(window, values):
        assert window.row == area.row + sum(part.shape[1] for part in found)
        assert (window.column, window.width) == (area.column, area.width)
        last = window.row + window.height == area.row + area.height
        assert last or window.height % step == 0
        found.append(values.copy())

    blender = Blender(tiling=tiling, area=area, num_channels=2, sink=sink, step=step)
    draw = np.random.default_rng(0)
    total = np.zeros((2, height + size, width + size))
    weight = np.zeros((height + size, width + size))
    wanted = draw.random((height + size, width + size)) > 0.1
    for tile in tiling.covering(area):
        values = draw.random((2, size, size)).astype("float32")
        total[(slice(None), *tile.slices)] += values * np.outer(bump(size), bump(size))
        weight[tile.slices] += np.outer(bump(size), bump(size))
        if wanted[tile.slices].any():
            blender.add(tile, values, wanted[tile.slices])
    blender.finish()
    expected = np.where(wanted, total / np.maximum(weight, 1e-30), np.nan)[
        (slice(None), *area.slices)
    ]
    np.testing.assert_allclose(np.concatenate(found, axis=1), expected, atol=1e-5)


def test_memory_does_not_grow_with_the_height():
    """Large rasters could not be mapped."""
    held = []
    for height in (100, 10_000):
        tiling = Tiling(height=height, width=50, size=16, overlap=4)
        blender = Blender(
            tiling=tiling, area=tiling.whole, num_channels=3, sink=lambda *_: None, step=8
        )
        held.append(blender.sums.nbytes)
    assert held == [4 * 3 * (16 + 7) * 50] * 2
