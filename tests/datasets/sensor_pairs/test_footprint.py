"""Footprints of images."""

import numpy as np
import pytest

from openstl_ext.datasets.sensor_pairs.footprint import shared_area
from openstl_ext.rasters.grid import Grid

rasterio = pytest.importorskip("rasterio")


def grid(zone: int, left: float, *, pixel: float, size: int, top: float = 5_200_000) -> Grid:
    crs = rasterio.crs.CRS.from_epsg(32600 + zone).to_wkt()
    return Grid(height=size, width=size, crs=crs, transform=(pixel, 0, left, 0, -pixel, top))


@pytest.mark.parametrize(("shift", "share"), [(0, 1.0), (60, 0.95), (300, 0.75), (1200, 0.0)])
def test_the_shared_area_is_that_of_the_shift(shift: float, share: float) -> None:
    """A pair of neighbours would be accepted, or a small error of the position refused."""
    one, other = grid(33, 0, pixel=10, size=120), grid(33, shift, pixel=60, size=20)
    assert shared_area(one, other) == pytest.approx(share, abs=0.03)


def test_a_part_of_a_large_image_is_not_the_same_place() -> None:
    """Every crop of it would be paired with another place."""
    large, small = grid(33, 0, pixel=10, size=240), grid(33, 0, pixel=10, size=120)
    assert shared_area(large, small) == shared_area(small, large) == pytest.approx(0.25, abs=0.03)


def test_footprints_in_two_zones_are_compared_on_the_ground() -> None:
    """Pairs at the edge of a zone would be refused."""
    one = grid(33, 755_000, pixel=10, size=120, top=5_300_000)
    centre = np.array([755_600.0]), np.array([5_299_400.0])
    names = [rasterio.crs.CRS.from_epsg(code) for code in (32633, 32634)]
    x, y = rasterio.warp.transform(*names, *centre)
    other = grid(34, x[0] - 600, pixel=20, size=60, top=y[0] + 600)
    assert shared_area(one, other) > 0.93
