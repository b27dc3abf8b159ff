"""Regions: GeoJSON polygons on rasters."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.warp import transform

from openstl_ext.errors import DataError
from openstl_ext.rasters.lonlat import lonlat
from openstl_ext.rasters.region import Region
from openstl_ext.rasters.window import Window
from tests.rasters.files import grid_of

GRID = grid_of()
"""12 x 16 pixels of half a degree from 10 E 50 N."""


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def saved(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def feature(geometry: object) -> dict[str, Any]:
    return {"type": "Feature", "properties": {}, "geometry": geometry}


def test_features_are_joined_and_holes_kept(tmp_path: Path) -> None:
    """Only one of several areas would be mapped, or holes would be filled."""
    first, second = box(11, 47, 13, 49), box(15, 45, 16, 46)
    hole = box(11.5, 47.5, 12.5, 48.5)["coordinates"][0]
    first["coordinates"].append(hole)
    point = {"type": "Point", "coordinates": [0, 0]}
    collected = {"type": "GeometryCollection", "geometries": [second, point]}
    document = {
        "type": "FeatureCollection",
        "features": [feature(first), feature(None), feature(collected)],
    }
    region = Region.read(saved(tmp_path / "r.geojson", document), GRID)
    assert region.window == Window(2, 2, 8, 10)
    expected = np.zeros((12, 16), bool)
    expected[2:6, 2:6] = True
    expected[3:5, 3:5] = False
    expected[8:10, 10:12] = True
    np.testing.assert_array_equal(region.mask(Window(0, 0, 12, 16)), expected)
    np.testing.assert_array_equal(region.mask(Window(4, 4, 7, 9)), expected[4:11, 4:13])


def test_only_pixels_whose_centre_is_inside_count(tmp_path: Path) -> None:
    """Pixels on a common edge would belong to two regions."""
    left, right = box(10, 44, 12.2, 50), box(12.2, 44, 18, 50)
    masks = [
        Region.read(saved(tmp_path / "r.geojson", part), GRID).mask(Window(0, 0, 12, 16))
        for part in (left, right)
    ]
    assert masks[0][:, :4].all()
    np.testing.assert_array_equal(masks[0], ~masks[1])


def test_an_edge_along_pixel_edges_adds_no_pixel(tmp_path: Path) -> None:
    """Rounding errors would add an empty row or column to maps."""
    rounded = box(11 - 1e-10, 47 - 1e-10, 13 + 1e-10, 49 + 1e-10)
    region = Region.read(saved(tmp_path / "r.geojson", rounded), GRID)
    assert region.window == Window(2, 2, 4, 4)


def test_nothing_beyond_the_raster_is_in_the_region(tmp_path: Path) -> None:
    """A region at the edge of the raster would include missing pixels."""
    region = Region.read(saved(tmp_path / "r.geojson", box(0, 40, 11, 60)), GRID)
    assert region.window == Window(0, 0, 12, 2)
    mask = region.mask(Window(-3, -3, 20, 25))
    assert mask.sum() == 24
    assert mask[3:15, 3:5].all()
    assert not region.mask(Window(50, 50, 3, 3)).any()


@pytest.mark.slow
def test_long_edges_are_divided_before_reprojection(tmp_path: Path) -> None:
    """Straight edges would cut off large areas in another CRS."""
    grid = grid_of(900, 1100, crs="EPSG:3035", transform=(5000.0, 0, 2e6, 0, -5000.0, 5.6e6))
    region = Region.read(saved(tmp_path / "r.geojson", box(-5, 42, 35, 58)), grid)
    lon, lat = lonlat(grid, Window(0, 0, 900, 1100))
    expected = (lon > -5) & (lon < 35) & (lat > 42) & (lat < 58)
    mask = region.mask(Window(0, 0, 900, 1100))
    assert (mask != expected).sum() < 30  # centres within a fiftieth of a pixel of an edge
    assert expected.sum() > 100_000
    rows, columns = np.nonzero(expected)
    w = region.window
    assert abs(w.row - rows.min()) <= 1
    assert abs(w.column - columns.min()) <= 1
    assert abs(w.row + w.height - rows.max()) <= 2
    assert abs(w.column + w.width - columns.max()) <= 2


def test_the_crs_comes_from_the_argument_or_else_from_the_file(tmp_path: Path) -> None:
    """Metres would be read as degrees."""
    x, y = transform("EPSG:4326", "EPSG:3857", [11, 13], [47, 49])
    metric = box(x[0], y[0], x[1], y[1])
    plain = Region.read(saved(tmp_path / "d.geojson", box(11, 47, 13, 49)), GRID)
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
    old = saved(tmp_path / "m.geojson", {**metric, "crs": named})
    bare = saved(tmp_path / "b.geojson", metric)
    for region in (Region.read(old, GRID), Region.read(bare, GRID, crs="EPSG:3857")):
        whole = Window(0, 0, 12, 16)
        np.testing.assert_array_equal(region.mask(whole), plain.mask(whole))
    degrees = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    same = saved(tmp_path / "s.geojson", {**box(11, 47, 13, 49), "crs": degrees})
    assert Region.read(same, GRID).window == plain.window
    with pytest.raises(DataError, match="unknown CRS 'EPSG:1'"):
        Region.read(bare, GRID, crs="EPSG:1")


def test_a_region_outside_the_raster_is_an_error_with_both_extents(tmp_path: Path) -> None:
    """Swapped coordinates would give an empty map."""
    path = saved(tmp_path / "r.geojson", box(47, 11, 49, 13))
    with pytest.raises(DataError) as error:
        Region.read(path, GRID)
    assert "r.geojson lies outside of the raster" in str(error.value)
    assert "region: x 47 to 49, y 11 to 13" in str(error.value)
    assert "raster: x 10 to 18, y 44 to 50" in str(error.value)


def test_points_outside_the_projection_are_an_error(tmp_path: Path) -> None:
    """Wrong coordinates would end in a traceback of GDAL."""
    grid = grid_of(crs="EPSG:3035", transform=(5000.0, 0, 4e6, 0, -5000.0, 3e6))
    path = saved(tmp_path / "r.geojson", box(4e6, 2.9e6, 4.1e6, 3e6))
    with pytest.raises(DataError, match="give their CRS with --region-crs"):
        Region.read(path, grid)


def test_a_raster_without_crs_takes_coordinates_as_they_are(tmp_path: Path) -> None:
    """Regions could not be used with test images."""
    bare = grid_of(crs="", transform=(1.0, 0, 0, 0, 1.0, 0))
    region = Region.read(saved(tmp_path / "r.geojson", box(2, 3, 5, 7)), bare)
    assert region.window == Window(3, 2, 4, 3)
    assert region.mask(region.window).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "Expected `object`, got `array`; a region is a GeoJSON file"),
        ('{"type": "Topology"}', "Invalid value 'Topology' - at"),
        ('{"type": "FeatureCollection"}', "missing required field `features`"),
        ('{"type": "FeatureCollection", "features": []}', "has no polygon"),
        ('{"type": "Point", "coordinates": [1, 2]}', "has no polygon"),
        ('{"type": "Polygon", "coordinates": [[1, 2]]}', "Expected `array`, got `int` - at"),
        ('{"type": "Polygon", "coordinates": [[[1, 2], [2, 3], [3, 4], [4, 5]]]}', "not closed"),
        ('{"type": "Polygon", "coordinates": []}', "has no polygon"),
    ],
)
def test_invalid_geojson_is_rejected_with_the_file_name(
    tmp_path: Path, text: str, message: str
) -> None:
    """A wrong file would map everything or nothing."""
    path = tmp_path / "r.geojson"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as error:
        Region.read(path, GRID)
    assert "r.geojson" in str(error.value)


def test_a_missing_region_is_named(tmp_path: Path) -> None:
    """A typing error in a path would end in a traceback."""
    with pytest.raises(DataError, match=r"r\.geojson: No such file"):
        Region.read(tmp_path / "r.geojson", GRID)
