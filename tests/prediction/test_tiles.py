"""Division of an area into tiles."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openstl_ext.errors import ConfigError
from openstl_ext.prediction.tiles import Tiling, starts
from openstl_ext.rasters.window import Window

sizes = st.integers(1, 40).flatmap(
    lambda size: st.tuples(st.just(size), st.integers(0, size - 1), st.integers(1, 150))
)


@given(sizes)
def test_every_pixel_is_covered_and_neighbours_overlap(sizes):
    """Pixels between tiles would have no prediction."""
    size, overlap, length = sizes
    found = starts(length, size=size, overlap=overlap)
    assert {p for s in found for p in range(s, s + size)} >= set(range(length))
    assert all(a < b <= a + size - overlap for a, b in pairwise(found))
    assert found[-1] + size == max(length, size)  # beyond the edge only in a small raster


def test_tiles_do_not_depend_on_the_region():
    """A map of a region would differ from the full map."""
    tiling = Tiling(height=70, width=90, size=32, overlap=8)
    area = Window(30, 40, 10, 20)
    some = list(tiling.covering(area))
    every = list(tiling.covering(tiling.whole))
    assert some == [tile for tile in every if tile.meet(area)]
    assert 0 < len(some) < len(every)
    assert every == sorted(every)


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (8, 8), (8, 9), (8, -1)])
def test_tiles_that_do_not_advance_are_rejected(size, overlap):
    """Tiling would not end."""
    with pytest.raises(ConfigError, match="overlap"):
        Tiling(height=9, width=9, size=size, overlap=overlap)
