"""Regions across 180 degrees, at poles and in any CRS, with pixel counts in closed form."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openstl_ext.errors import DataError
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.lonlat import lonlat
from openstl_ext.rasters.region import Region
from openstl_ext.rasters.window import Window
from tests.rasters.files import grid_of
from tests.rasters.test_region import GRID, box, saved

FIJI = box(176, -20, 182, -15)
"""6 x 5 degrees across 180."""
FIJI_IN_TWO = {
    "type": "MultiPolygon",
    "coordinates": [
        box(176, -20, 180, -15)["coordinates"],
        box(-180, -20, -178, -15)["coordinates"],
    ],
}
WORLD = box(-180, -90, 180, 90)
METRE = 111_319.49079327358
"""Length of a degree at the equator of EPSG:3857 and EPSG:4087."""


def degrees(first: float, *, width: int = 360) -> Grid:
    """A raster of one degree from a longitude."""
    return grid_of(180, width, transform=(1, 0, first, 0, -1, 90))


def region_of(document: object, grid: Grid, tmp_path: Path, **kind: Any) -> Region:
    return Region.read(saved(tmp_path / "r.geojson", document), grid, **kind)


def count(document: object, grid: Grid, tmp_path: Path, **kind: Any) -> int:
    region = region_of(document, grid, tmp_path, **kind)
    whole = region.mask(Window(0, 0, grid.height, grid.width))
    window = region.window
    assert region.mask(window).sum() == whole.sum()  # nothing is outside of the window
    rows, columns = np.nonzero(whole)
    assert (window.row, window.column) == (rows.min(), columns.min())
    assert (window.height, window.width) == (np.ptp(rows) + 1, np.ptp(columns) + 1)
    return int(whole.sum())


@pytest.mark.parametrize("first", [-180, 0, 20, -37, -400, 175, 181])
@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (FIJI, 30),
        (FIJI_IN_TWO, 30),
        (box(-184, -20, -178, -15), 30),
        (box(-10, -20, 10, -10), 200),
        (box(350, -20, 370, -10), 200),
        (WORLD, 64_800),
        (box(0, -90, 360, 90), 64_800),
        (box(-180, 60, 180, 90), 10_800),
    ],
)
def test_longitudes_are_equal_modulo_a_turn(
    tmp_path: Path, first: int, document: object, expected: int
) -> None:
    """A part of a region beyond 180 degrees would be left out, or taken from another place."""
    assert count(document, degrees(first), tmp_path) == expected


@pytest.mark.parametrize("wide", [False, True])
def test_a_hole_across_180_degrees_stays_a_hole(tmp_path: Path, wide: bool) -> None:
    """Excluded islands would be mapped."""
    with_hole = box(170, -30, 190, 30)
    with_hole["coordinates"].append(box(178, -5, 183, 5)["coordinates"][0])
    document = {"type": "GeometryCollection", "geometries": [with_hole]} if wide else with_hole
    assert count(document, degrees(-180), tmp_path) == 20 * 60 - 5 * 10


@pytest.mark.parametrize(
    ("crs", "transform", "shape"),
    [
        ("EPSG:3857", (METRE, 0, -180 * METRE, 0, -METRE, 20 * METRE), (40, 360)),
        ("EPSG:3857", (METRE, 0, 170 * METRE, 0, -METRE, 20 * METRE), (40, 20)),
        ("EPSG:4087", (METRE, 0, -180 * METRE, 0, -METRE, 90 * METRE), (180, 360)),
        ("EPSG:4087", (METRE, 0, 0, 0, -METRE, 90 * METRE), (180, 360)),
        ("EPSG:4087", (METRE, 0, 0, 0, METRE, -90 * METRE), (180, 360)),
        ("EPSG:4087", (0, METRE, 0, -METRE, 0, 90 * METRE), (360, 180)),
    ],
)
def test_a_region_across_180_degrees_has_both_parts_in_a_projection(
    tmp_path: Path, crs: str, transform: Any, shape: tuple[int, int]
) -> None:
    """Half of Fiji would be missing, on south-up and rotated rasters too."""
    grid = grid_of(*shape, crs=crs, transform=transform)
    around = box(176, -5, 182, 5)  # near the equator a row of Mercator has about a degree
    for document in (
        around,
        {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "properties": {}, "geometry": around}],
        },
    ):
        assert count(document, grid, tmp_path) == 60


@pytest.mark.parametrize("crs", ["EPSG:3031", "EPSG:3413", "ESRI:54009", "ESRI:54008", "EPSG:6933"])
@pytest.mark.parametrize("document", [WORLD, FIJI, box(-50, -89, 100, 88), box(-30, 50, 40, 90)])
def test_a_region_is_exact_in_any_projection(
    tmp_path: Path, crs: str, document: dict[str, Any]
) -> None:
    """Poles and the edges of world maps would cut regions, or fill them."""
    grid = grid_of(43, 71, crs=crs, transform=(5e5, 0, -1.775e7, 0, -5e5, 1.075e7))
    west, south = document["coordinates"][0][0]
    east, north = document["coordinates"][0][2]
    lon, lat = lonlat(grid, Window(0, 0, 43, 71)).astype(float)
    width = east - west
    expected = ((lon - west) % 360 < width) | (width >= 360)
    expected &= (lat > south) & ((lat < north) | (north == 90)) | ((south == -90) & (lat < north))
    expected &= np.isfinite(lon)
    if not expected.any():
        with pytest.raises(DataError, match="outside of the raster"):
            count(document, grid, tmp_path)
        return
    assert count(document, grid, tmp_path) == expected.sum()


def test_the_world_covers_a_raster_of_a_zone(tmp_path: Path) -> None:
    """A box of the world has corners at which a zone of UTM is not defined."""
    grid = grid_of(30, 40, crs="EPSG:32633", transform=(30, 0, 5e5, 0, -30, 5e6))
    assert count(WORLD, grid, tmp_path) == 1200


def test_a_region_in_metres_may_cross_180_degrees(tmp_path: Path) -> None:
    """A region that was drawn on a web map would lose its part beyond the edge of the map."""
    metric = box(176 * METRE, -5 * METRE, 182 * METRE, 5 * METRE)
    assert count(metric, degrees(0), tmp_path, crs="EPSG:3857") == 60
    assert count(metric, degrees(-180), tmp_path, crs="EPSG:3857") == 60


def test_an_edge_that_may_go_either_way_is_refused(tmp_path: Path) -> None:
    """From 176 to -178 is 6 degrees or 354: the map would be of the wrong place."""
    with pytest.raises(DataError, match=r"from 176 to -178 degrees .* write 182 for -178"):
        count(box(176, -20, -178, -15), degrees(-180), tmp_path)
    ring = [[-178, -20], [0, -20], [176, -20], [176, -15], [0, -15], [-178, -15], [-178, -20]]
    document = {"type": "Polygon", "coordinates": [ring]}
    assert count(document, degrees(-180), tmp_path) == 354 * 5


@given(
    first=st.integers(-400, 400),
    west=st.integers(-359, 359),
    width=st.integers(1, 180),
    south=st.integers(-90, 80),
    height=st.integers(1, 10),
)
@settings(max_examples=15, deadline=None)
def test_a_box_of_whole_degrees_has_its_number_of_pixels(
    tmp_path_factory: pytest.TempPathFactory,
    first: int,
    west: int,
    width: int,
    south: int,
    height: int,
) -> None:
    """A box would gain or lose pixels at some place on the earth."""
    document = box(west, south, west + width, south + height)
    path = tmp_path_factory.getbasetemp() / "r.geojson"
    region = Region.read(saved(path, document), degrees(first))
    mask = region.mask(Window(0, 0, 180, 360))
    rows = slice(90 - south - height, 90 - south)
    columns = (np.arange(west, west + width) - first) % 360
    assert mask.sum() == width * height
    assert mask[rows][:, columns].all()


def test_large_rasters_are_searched_in_parts(tmp_path: Path) -> None:
    """Every pixel of a raster of the world would be transformed before the first prediction."""
    grid = grid_of(21_600, 43_200, transform=(1 / 120, 0, -180, 0, -1 / 120, 90))
    region = region_of(box(10, 40, 12, 41), grid, tmp_path)
    assert region.window == Window(49 * 120, 190 * 120, 120, 240)
    assert region.mask(Window(49 * 120, 190 * 120, 120, 240)).all()


def test_adjacent_regions_share_no_pixel(tmp_path: Path) -> None:
    """Pixels at a common slanted edge would belong to two regions or to none."""
    a, b, c, d = [-60.5, -40.5], [30.5, -40.5], [30.5, 50.5], [-60.5, 50.5]
    parts = [{"type": "Polygon", "coordinates": [ring]} for ring in ([a, b, c, a], [c, d, a, c])]
    masks = [region_of(p, degrees(0), tmp_path).mask(Window(0, 0, 180, 360)) for p in parts]
    assert not (masks[0] & masks[1]).any()
    assert (masks[0] | masks[1]).sum() == 91 * 91


@pytest.mark.parametrize(
    ("member", "crs"),
    [
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}, None),
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG:6.9:3857"}}, None),
        ({"type": "name", "properties": {"name": "EPSG:3857"}}, None),
        ({"type": "Name", "properties": {"name": "epsg:3857"}}, None),
        ({"type": "EPSG", "properties": {"code": 3857}}, None),
        ({"type": "EPSG", "properties": {"code": "3857"}}, None),
        ({"type": "EPSG", "properties": {"code": "EPSG:3857"}}, None),
        ({"type": "OGC", "properties": {"urn": "urn:x-ogc:def:crs:EPSG::3857"}}, None),
        ({"type": "link", "properties": {"href": "http://127.0.0.1:9/x"}}, "EPSG:3857"),
        (None, "urn:ogc:def:crs:EPSG::3857"),
    ],
)
def test_a_crs_is_read_in_every_form_of_geojson(
    tmp_path: Path, member: Any, crs: str | None
) -> None:
    """Metres would be taken for degrees."""
    metric = {**box(11 * METRE, 0, 13 * METRE, METRE), "crs": member}
    grid = grid_of(4, 16, transform=(0.5, 0, 10, 0, -0.5, 2))
    assert count(metric, grid, tmp_path, crs=crs) == 4 * 2


@pytest.mark.parametrize(
    "name",
    [
        "OGC:CRS84",
        "CRS84",
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "urn:ogc:def:crs:OGC::CRS84",
        "urn:ogc:def:crs:EPSG::4326",
    ],
)
def test_longitude_comes_first_in_every_name_of_wgs84(tmp_path: Path, name: str) -> None:
    """Longitude and latitude would be swapped."""
    document = {**box(11, 47, 13, 49), "crs": {"type": "name", "properties": {"name": name}}}
    assert region_of(document, GRID, tmp_path).window == Window(2, 2, 4, 4)


@pytest.mark.parametrize(
    "member",
    [
        None,
        {},
        {"type": "name"},
        {"type": "name", "properties": {"name": None}},
        {"type": "name", "properties": {"name": "http://127.0.0.1:9/x"}},
        {"type": "name", "properties": {"name": "/etc/hostname"}},
        {"type": "name", "properties": {"name": "+proj=longlat +nadgrids=/etc/hostname"}},
        {"type": "name", "properties": {"name": "IGNF:ABC/../x"}},
        {"type": "name", "properties": {"name": "EPSG:abc"}},
        {"type": "name", "properties": {"name": "EPSG:1"}},
        {"type": "name", "properties": {"name": 'GEOGCS["x"]'}},
        {"type": "link", "properties": {"href": "http://127.0.0.1:9/x", "type": "proj4"}},
        {"type": "url", "properties": {"url": "http://127.0.0.1:9/x"}},
        {"type": "EPSG", "properties": {"code": [1]}},
        {"type": "proj4", "properties": {"name": "x"}},
    ],
)
def test_a_crs_that_is_not_understood_is_refused(tmp_path: Path, member: object) -> None:
    """A name would be fetched or opened by GDAL, or coordinates taken for degrees."""
    with pytest.raises(DataError, match="crs"):
        region_of({**box(11, 47, 13, 49), "crs": member}, GRID, tmp_path)


@pytest.mark.parametrize("crs", ["http://127.0.0.1:9/x", "a.prj", "+proj=longlat", "4326", ""])
def test_the_option_for_a_crs_takes_codes_only(tmp_path: Path, crs: str) -> None:
    """A path or URL of a command line would be opened."""
    with pytest.raises(DataError, match="--region-crs is"):
        region_of(box(11, 47, 13, 49), GRID, tmp_path, crs=crs)


def test_two_crss_in_one_file_are_refused(tmp_path: Path) -> None:
    """The CRS of one feature would be used for all."""

    def feature(code: int) -> dict[str, Any]:
        member = {"type": "EPSG", "properties": {"code": code}}
        return {"type": "Feature", "geometry": {**box(11, 47, 13, 49), "crs": member}}

    both = {"type": "FeatureCollection", "features": [feature(4326), feature(3857)]}
    with pytest.raises(DataError, match=r"several CRSs \(EPSG:3857, EPSG:4326\)"):
        region_of(both, GRID, tmp_path)


@pytest.mark.parametrize("big", ["1e400", "1" + "0" * 400, "1e300", "-4e6"])
def test_coordinates_that_are_not_degrees_are_refused(tmp_path: Path, big: str) -> None:
    """Metres without a CRS would be taken for degrees, modulo 360."""
    path = tmp_path / "r.geojson"
    path.write_text(json.dumps(box(11, 47, 13, 49)).replace("47", big))
    with pytest.raises(DataError, match=r"r\.geojson"):
        Region.read(path, GRID)


def test_what_lies_outside_of_the_raster_is_reported(tmp_path: Path) -> None:
    """A map of a part of the region would pass for all of it."""
    assert region_of(box(11, 47, 13, 49), GRID, tmp_path).note() == ""
    half = region_of(box(6, 46, 14, 48), GRID, tmp_path)
    assert half.note() == "; 50.0% of the region is outside of the raster"
    assert region_of(FIJI, degrees(0, width=179), tmp_path).share_outside() == pytest.approx(0.5)
    assert region_of(FIJI_IN_TWO, degrees(-180), tmp_path).note() == ""


def test_a_region_between_pixel_centres_is_an_error(tmp_path: Path) -> None:
    """An empty map would be written."""
    with pytest.raises(DataError, match="has no centre of a pixel of the raster"):
        region_of(box(11.1, 47.1, 11.2, 47.2), GRID, tmp_path)


@pytest.mark.parametrize("crs", [None, "EPSG:4326"])
def test_a_transform_without_crs_has_no_place_for_a_region(tmp_path: Path, crs: str | None) -> None:
    """Degrees of a region would be taken for metres of the raster."""
    with pytest.raises(DataError, match="the raster has no CRS"):
        region_of(box(11, 47, 13, 49), grid_of(crs=""), tmp_path, crs=crs)
