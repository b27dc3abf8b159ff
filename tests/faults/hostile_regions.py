"""Regions and JSON files of strangers: refused in one sentence, or the right value."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.datasets.lts.metadata import SeriesFacts
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.rasters.region import Region
from openstl_ext.rasters.window import Window
from tests.faults.hostile_rasters import Fault, box, rows_of
from tests.faults.row import Row
from tests.rasters.files import grid_of

METRE = 111_319.49079327358
"""Length of a degree at the equator of EPSG:3857."""


def faults() -> Iterator[tuple[str, list[Fault]]]:
    """Yield the classes of faults, each with its faults."""
    yield "regions: places", list(_regions())
    yield "regions: CRS and form of the file", list(_geojson())
    yield "JSON of a series and a split", list(_json())


def rows() -> Iterator[Row]:
    yield from rows_of(faults())


def _regions() -> Iterator[Fault]:
    documents = {
        "Fiji": (box(176, -20, 182, -15), 30),
        "Fiji to the west": (box(-184, -20, -178, -15), 30),
        "Greenwich": (box(-10, -20, 10, -10), 200),
        "a world": (box(-180, -90, 180, 90), 64_800),
        "another world": (box(0, -90, 360, 90), 64_800),
        "a cap": (box(-180, 60, 180, 90), 10_800),
        "Fiji the other way": (box(176, -20, -178, -15), None),
    }
    for name, (document, right) in documents.items():
        for first in (-180, 0, 20, -400, 179):

            def count(root: Path, first: int = first) -> int:
                grid = grid_of(180, 360, transform=(1, 0, first, 0, -1, 90))
                region = Region.read(root / "r.geojson", grid)
                return int(region.mask(Window(0, 0, 180, 360)).sum())

            write = _writer(json.dumps(document))
            yield Fault(f"{name} on a raster from {first} degrees", write, count, right)


def _writer(text: str | bytes, name: str = "r.geojson") -> Callable[[Path, str], object]:
    def write(root: Path, url: str) -> None:
        content = text if isinstance(text, bytes) else text.replace("{url}", url).encode()
        (root / name).write_bytes(content)

    return write


def _geojson() -> Iterator[Fault]:
    def count(root: Path) -> int:
        region = Region.read(root / "r.geojson", grid_of(4, 16, transform=(0.5, 0, 10, 0, -0.5, 2)))
        return int(region.mask(Window(0, 0, 4, 16)).sum())

    metric = box(11 * METRE, 0, 13 * METRE, METRE)
    good = [
        {"type": "name", "properties": {"name": name}}
        for name in (
            "EPSG:3857",
            "epsg:3857",
            "urn:ogc:def:crs:EPSG::3857",
            "urn:ogc:def:crs:EPSG:9.8:3857",
            "urn:x-ogc:def:crs:EPSG::3857",
        )
    ] + [{"type": "EPSG", "properties": {"code": code}} for code in (3857, "3857", "EPSG:3857")]
    bad: list[Any] = [None, {}, [], 3857, "EPSG:3857", {"type": "EPSG"}, {"properties": {}}]
    bad += [
        {"type": kind, "properties": {"href": "{url}", "url": "{url}"}} for kind in ("link", "url")
    ]
    bad += [
        {"type": "name", "properties": {"name": name}}
        for name in (
            "{url}",
            "../secret.tif",
            "/etc/hostname",
            "file:///etc/hostname",
            "EPSG:1",
            "+proj=longlat +nadgrids=/etc/hostname",
            "+init=epsg:3857",
            "EPSG:abc",
            "",
            "urn:ogc:def:crs,crs:EPSG::1",
            'PROJCS["x"]',
            "ESRI::{url}",
            "WGS84",
            3857,
        )
    ]
    for members, right in ((good, 8), (bad, None)):
        for member in members:
            text = json.dumps({**metric, "crs": member})
            yield Fault(f"crs is {json.dumps(member)[:60]}", _writer(text), count, right)
    square = json.dumps(box(11, 0, 13, 1))
    nested = '{"type":"GeometryCollection","geometries":['
    texts: dict[str, tuple[str | bytes, Any]] = {
        "a byte order mark": (b"\xef\xbb\xbf" + square.encode(), 8),
        "empty": ("", None),
        "NUL": (bytes(99), None),
        "brackets": ("[" * 100_000 + "]" * 100_000, None),
        "nested collections": (nested * 20_000 + square + "]}" * 20_000, None),
        "a few nested collections": (nested * 20 + square + "]}" * 20, 8),
        "10**400": (square.replace("13", "1" + "0" * 400), None),
        "1e999": (square.replace("13", "1e999"), None),
        "NaN": (square.replace("13", "NaN"), None),
        "metres": (json.dumps(metric), None),
        "text": (square.replace("13", '"13"'), None),
        "null": (square.replace("13", "null"), None),
        "true": (square.replace("13", "true"), None),
        "an open ring": (square.replace(", [11, 0]]", "]"), None),
        "heights": (square.replace("0]", "0, 5]").replace("1]", "1, 5]"), 8),
        "a topology": ('{"type": "Topology"}', None),
        "cut": (square[:-9], None),
        "a point": ('{"type": "Point", "coordinates": [11, 0]}', None),
        "no area": (json.dumps(box(11, 0, 11, 1)), None),
        "elsewhere": (json.dumps(box(50, 0, 51, 1)), None),
        "latitude 91": (json.dumps(box(11, 0, 13, 91)), None),
        "two CRSs": (
            json.dumps(
                {
                    "type": "FeatureCollection",
                    "features": [
                        {"type": "Feature", "geometry": {**metric, "crs": good[0]}},
                        {"type": "Feature", "geometry": box(11, 0, 13, 1), "crs": bad[9]},
                    ],
                }
            ),
            None,
        ),
    }
    for name, (content, right) in texts.items():
        yield Fault(f"GeoJSON: {name}", _writer(content), count, right)


def _json() -> Iterator[Fault]:
    stored = np.array([[0, 1, 1]], np.int16)

    def values(root: Path) -> np.ndarray:
        return SeriesFacts.read(root / "stack.json").in_data_units(stored)

    facts = {"years": [2000], "bands": ["red"]}
    for nodata in ("NaN", "Infinity", '"x"', "[]", "{}", "true"):
        text = json.dumps({**facts, "nodata": 0}).replace(": 0", f": {nodata}")
        yield Fault(f"nodata is {nodata}", _writer(text, "stack.json"), values)
    for number in (1e300, -1, 70_000, 0.5, None):
        text = json.dumps({**facts, "nodata": number})
        yield Fault(f"nodata is {number}", _writer(text, "stack.json"), values, stored)
    for name, value in (
        ("years", []),
        ("years", [2001, 2000]),
        ("bands", ["a", "a"]),
        ("x", 1),
        ("scale", "a"),
        ("classes", ["one"]),
        ("transform", [1, 2]),
        ("years", 5),
    ):
        text = json.dumps({**facts, name: value})
        yield Fault(f"{name} is {value}", _writer(text, "stack.json"), values)

    def blocks(root: Path) -> Any:
        return BlockSplit.read(root / "blocks.json").codes

    split = {"format": "openstl_ext block split 1", "height": 20, "width": 20, "block_size": 10}
    whole = {**split, "names": ["a"], "blocks": ["11", "1."]}
    for name, value in (
        ("height", 10**12),
        ("width", -1),
        ("block_size", 0),
        ("blocks", ["11"]),
        ("blocks", ["1x", "11"]),
        ("format", "2"),
        ("names", 3),
        ("height", 1e400),
    ):
        yield Fault(
            f"{name} of a split is {value}",
            _writer(json.dumps({**whole, name: value}), "blocks.json"),
            blocks,
        )
