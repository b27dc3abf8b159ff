"""Longitude and latitude of pixels."""

import numpy as np
import pytest
from rasterio.warp import transform

from openstl_ext.errors import DataError
from openstl_ext.rasters.lonlat import lonlat
from openstl_ext.rasters.window import Window
from tests.rasters.files import grid_of

WORLD = (10000.0, 0.0, -18.1e6, 0.0, -10000.0, 9.1e6)
"""Ten kilometres a pixel; the corners of an equal-area world map are outside the projection."""


def test_on_wgs84_a_pixel_has_the_coordinates_of_its_centre() -> None:
    """All coordinates would be off by half a pixel."""
    places = lonlat(grid_of(), Window(2, 3, 4, 5))
    assert (places.shape, places.dtype) == ((2, 4, 5), np.float32)
    np.testing.assert_allclose(places[0], np.broadcast_to(11.75 + 0.5 * np.arange(5), (4, 5)))
    np.testing.assert_allclose(
        places[1], np.broadcast_to(48.75 - 0.5 * np.arange(4)[:, None], (4, 5))
    )


def test_projected_coordinates_are_transformed_pixel_by_pixel() -> None:
    """Nets would receive wrong coordinates."""
    turned = (300.0, 40.0, 4e6, 30.0, -290.0, 3e6)
    places = lonlat(grid_of(crs="EPSG:3035", transform=turned), Window(-1, 5, 3, 2))
    a, b, c, d, e, f = turned
    for i in range(3):
        for j in range(2):
            column, row = 5 + j + 0.5, -1 + i + 0.5
            x, y = a * column + b * row + c, d * column + e * row + f
            (lon,), (lat,) = transform("EPSG:3035", "EPSG:4326", [x], [y])
            np.testing.assert_allclose(places[:, i, j], (lon, lat), rtol=1e-6)


def test_another_datum_is_not_taken_for_wgs84() -> None:
    """Coordinates on older datums would be shifted by hundreds of metres."""
    fine = (1e-3, 0.0, -100.0, 0.0, -1e-3, 40.0)
    window = Window(0, 0, 2, 2)
    old, new = (lonlat(grid_of(crs=c, transform=fine), window) for c in ("EPSG:4267", "EPSG:4326"))
    assert 1e-5 < np.abs(old - new).max() < 1e-2


def test_longitudes_are_wrapped_to_one_range() -> None:
    """190 E and 170 W would be different inputs."""
    world = grid_of(2, 400, transform=(1.0, 0.0, 0.0, 0.0, -1.0, 1.0))
    longitude = lonlat(world, Window(0, -5, 1, 400))[0, 0]
    np.testing.assert_allclose(longitude[:6], [-4.5, -3.5, -2.5, -1.5, -0.5, 0.5])
    np.testing.assert_allclose(longitude[184:187], [179.5, -179.5, -178.5])


@pytest.mark.parametrize("row", [0, 200, 905, 1600])
def test_pixels_outside_the_projection_are_nan_and_the_others_exact(row: int) -> None:
    """A tile at the edge of a world map would fail or lose its islands."""
    grid = grid_of(1820, 3620, crs="ESRI:54009", transform=WORLD)
    window = Window(row, 0, 3, 3620)
    lon, lat = lonlat(grid, window)[:, :, ::90]
    for i in range(3):
        for j in range(lon.shape[1]):
            x, y = WORLD[0] * (90 * j + 0.5) + WORLD[2], WORLD[4] * (row + i + 0.5) + WORLD[5]
            inside = (x / 18040095.7) ** 2 + (y / 9020047.85) ** 2 < 1  # the outline is an ellipse
            assert np.isfinite(lon[i, j]) == np.isfinite(lat[i, j]) == inside
            if inside:
                (there,), (up,) = transform("ESRI:54009", "EPSG:4326", [x], [y])
                np.testing.assert_allclose((lon[i, j], lat[i, j]), (there, up), rtol=1e-5)


def test_a_single_pixel_inside_the_projection_is_found() -> None:
    """NaN coordinates would reach the net."""
    far = (1.8e7, 0.0, -2.7e7, 0.0, -1.0, 9e6)
    places = lonlat(grid_of(1, 2, crs="ESRI:54009", transform=far), Window(0, 0, 1, 2))
    assert np.isnan(places[:, 0, 0]).all()
    assert abs(places[0, 0, 1]) < 1e-6
    assert 85 < places[1, 0, 1] < 90


def test_a_raster_without_crs_is_an_error() -> None:
    """Pixel indices would be used as degrees."""
    with pytest.raises(DataError, match="longitude and latitude need a CRS"):
        lonlat(grid_of(crs=""), Window(0, 0, 2, 2))
