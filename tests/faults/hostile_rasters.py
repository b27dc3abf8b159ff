"""Rasters of strangers: refused in one sentence, or the right value."""

import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp

from openstl_ext.errors import UserError
from openstl_ext.rasters.layer import RasterLayer
from openstl_ext.rasters.region import Region
from openstl_ext.rasters.window import Window
from tests.faults.row import Row
from tests.rasters.files import write_tif

HEIGHT, WIDTH = 12, 16
ALL = Window(0, 0, HEIGHT, WIDTH)
VALUES = np.arange(HEIGHT * WIDTH, dtype=np.int16).reshape(HEIGHT, WIDTH)
SECRET = 7777
"""Value of a raster in another folder; a result with it has read another file."""


@dataclass(frozen=True)
class Fault:
    """One hostile file.

    Args:
        description: What is wrong.
        write: Writes the file to a folder, given the address of a server.
        read: Reads the folder as the project does.
        right: The right result; None if the file must be refused.
    """

    description: str
    write: Callable[[Path, str], object]
    read: Callable[[Path], Any]
    right: Any = None


def faults() -> Iterator[tuple[str, list[Fault]]]:
    """Yield the classes of faults, each with its faults."""
    yield "rasters that name other files", list(_foreign())
    yield "rasters that are damaged, or of another format", list(_damaged())
    yield "pixels that are not valid, and fill values", list(_invalid())
    yield "georeference of rasters", list(_places())


def check(fault: Fault, address: str, requests: list[str]) -> tuple[bool, bool, str]:
    """Write and read one fault.

    Returns:
        Whether it was refused, whether the right value was read, and what went wrong.
    """
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = Path(name) / "data"
        root.mkdir()
        secret = np.full((HEIGHT, WIDTH), SECRET, np.int16)
        write_tif(root.with_name("secret.tif"), secret)
        fault.write(root, address)
        requests.clear()
        try:
            found = fault.read(root)
        except UserError as error:
            text = "" if str(error) else "the message is empty"
            return fault.right is None and not requests, False, _asked(requests) or text
        except BaseException as error:  # a traceback is the fault
            return False, False, f"{type(error).__name__}: {error}"
    is_right = fault.right is not None and np.array_equal(found, fault.right, equal_nan=True)
    return False, is_right and not requests, _asked(requests) or f"read {np.shape(found)}"


def _asked(requests: list[str]) -> str:
    return f"fetched {requests[0]}" if requests else ""


def read_values(root: Path) -> np.ndarray:
    return RasterLayer(root / "a.tif").read(ALL)


def _foreign() -> Iterator[Fault]:
    vrt = (
        '<VRTDataset rasterXSize="16" rasterYSize="12"><VRTRasterBand dataType="Int16" band="1">'
        '<SimpleSource><SourceFilename relativeToVRT="{}">{}</SourceFilename><SourceBand>1'
        "</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    wms = '<GDAL_WMS><Service name="TMS"><ServerUrl>{}</ServerUrl></Service></GDAL_WMS>'
    pam = '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{}</MDI></Metadata>'
    for target in ("../secret.tif", "/vsicurl/{url}", "/vsizip/../secret.zip/a", "{url}"):
        for ending in ("", ".msk"):
            for text in (vrt.format(1, target), vrt.format(0, target), wms.format(target)):

                def write(root: Path, url: str, *, text: str = text, ending: str = ending) -> None:
                    write_tif(root / "a.tif", VALUES)
                    (root / f"a.tif{ending}").write_text(text.replace("{url}", url))

                yield Fault(f"a.tif{ending} is {text[:12]} of {target}", write, read_values)
        for ending, text in ((".ovr", vrt.format(1, target)), (".aux.xml", pam.format(target))):

            def beside(root: Path, url: str, *, text: str = text, ending: str = ending) -> None:
                write_tif(root / "a.tif", VALUES)
                (root / f"a.tif{ending}").write_text(text.replace("{url}", url))

            yield Fault(f"a.tif{ending} names {target}", beside, read_values, VALUES)
    for name in ("/vsicurl/{url}", "{url}", "/vsimem/a.tif", "GTIFF_RAW:a.tif", "zip://a.zip!a"):

        def by_name(root: Path, name: str = name) -> np.ndarray:
            del root
            return RasterLayer(name.replace("{url}", "http://127.0.0.1:9/x")).read(ALL)

        yield Fault(f"the path {name}", lambda *_: None, by_name)


def _damaged() -> Iterator[Fault]:
    forms = {
        "empty": b"",
        "text": b"no raster",
        "NUL": bytes(500),
        "zip": b"PK\x03\x04" + bytes(60),
        "PNG": b"\x89PNG\r\n\x1a\n" + bytes(60),
        "JPEG": b"\xff\xd8\xff\xe0" + bytes(60),
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(60),
        "netCDF": b"CDF\x01" + bytes(60),
        "pickle": b"\x80\x04cos\nsystem\n.",
        "JSON": b'{"type": "Point"}',
        "gzip": b"\x1f\x8b\x08",
        "ASCII grid": b"ncols 2\nnrows 1\nxllcorner 0\nyllcorner 0\ncellsize 1\n1 2\n",
        "TIFF without a directory": b"II*\x00\x08\x00\x00\x00",
        "TIFF with a directory in itself": b"II*\x00\x04\x00\x00\x00",
        "BigTIFF of 16 bytes": b"II+\x00\x08\x00\x00\x00" + bytes(8),
    }
    for name, content in forms.items():

        def put(root: Path, url: str, content: bytes = content) -> None:
            del url
            (root / "a.tif").write_bytes(content)

        yield Fault(f"a.tif is {name}", put, read_values)
    for share in range(5, 100, 5):

        def truncated(root: Path, url: str, share: int = share) -> None:
            del url
            noise = np.random.default_rng(0).integers(0, 999, (HEIGHT, WIDTH)).astype(np.int16)
            path = write_tif(root / "a.tif", noise)
            path.write_bytes(path.read_bytes()[: path.stat().st_size * share // 100])

        yield Fault(f"a.tif ends after {share} %", truncated, read_values)
    for side, block in ((60_000, 60_000), (2**20, 2**14), (2**19, 2**13), (2**30, 2**14)):

        def huge(root: Path, url: str, side: int = side, block: int = block) -> None:
            del url
            tiles = {"tiled": True, "blockxsize": block, "blockysize": block}
            shape = {"height": side, "width": min(side, 2**20)}
            if block > 2**14:
                tiles = {"blockysize": block}
            profile = {"count": 1, "dtype": "uint8", "sparse_ok": True, "bigtiff": "YES"}
            with rasterio.open(root / "a.tif", "w", driver="GTiff", **shape, **profile, **tiles):
                pass

        yield Fault(f"a.tif declares {side} rows in blocks of {block}", huge, read_values)


def _invalid() -> Iterator[Fault]:
    hidden = VALUES % 3 == 0
    for place in range(5):

        def alpha(root: Path, url: str, place: int = place) -> None:
            del url
            bands = np.full((5, HEIGHT, WIDTH), 9, np.uint8)
            bands[place] = np.where(hidden, 0, 255)
            kinds = [ColorInterp.undefined] * 5
            kinds[place] = ColorInterp.alpha
            with _new(root, "uint8", 5) as file:
                file.colorinterp = kinds
                file.write(bands)

        def read(root: Path, band: int = 1 if place else 2) -> np.ndarray:
            return np.isnan(RasterLayer(root / "a.tif", band=band).read(ALL))

        yield Fault(f"band {place + 1} is alpha", alpha, read, hidden)
    for internal in (True, False):

        def mask(root: Path, url: str, internal: bool = internal) -> None:
            del url
            with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal), _new(root, "int16") as file:
                file.write(VALUES, 1)
                file.write_mask(~hidden)

        right = np.where(hidden, np.nan, VALUES)
        yield Fault(f"a mask, {'inside' if internal else 'beside'}", mask, read_values, right)
    fills = {
        "int16": (-9999, -32768, -999, 32767),
        "uint16": (65535,),
        "int32": (-2147483648, -9999),
        "float32": (-3.4028235e38, -3.4e38, 1e20, 9.96921e36, -9999, -32768, -99999, 3.4028235e38),
        "float64": (-1.7976931348623157e308, 1e30, -9999),
    }
    for kind, values in fills.items():
        for value in values:
            stored = np.where(hidden, np.array(value, kind), (VALUES % 30).astype(kind))

            def fill(root: Path, url: str, stored: np.ndarray = stored) -> None:
                del url
                write_tif(root / "a.tif", stored)

            def tagged(
                root: Path, url: str, stored: np.ndarray = stored, value: float = value
            ) -> None:
                del url
                write_tif(root / "a.tif", stored, nodata=float(stored.dtype.type(value)))

            yield Fault(f"{kind} with {value:g} and no tag", fill, read_values)
            right = np.where(hidden, np.nan, VALUES % 30)
            yield Fault(f"{kind} with {value:g} and a tag", tagged, read_values, right)


def _new(root: Path, kind: str, count: int = 1, **more: Any) -> Any:
    place = {"crs": "EPSG:4326", "transform": rasterio.Affine(0.5, 0, 10, 0, -0.5, 50)}
    shape = {"height": HEIGHT, "width": WIDTH, "count": count}
    return rasterio.open(root / "a.tif", "w", driver="GTiff", dtype=kind, **shape, **place, **more)


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _count(root: Path) -> int:
    grid = RasterLayer(root / "a.tif").grid
    return int(Region.read(root / "r.geojson", grid).mask(ALL).sum())


def _places() -> Iterator[Fault]:
    square = box(11, 47, 13, 49)  # 4 x 4 pixels of half a degree
    points = [
        GroundControlPoint(r, c, 10 + c / 2, 50 - r / 2)
        for r, c in ((0, 0), (0, 16), (12, 0), (12, 16))
    ]
    forms: dict[str, tuple[dict[str, Any], Any]] = {
        "control points alone": ({"crs": "EPSG:4326", "gcps": points}, None),
        "a CRS alone": ({"crs": "EPSG:4326"}, None),
        "a transform alone": ({"transform": rasterio.Affine(0.5, 0, 10, 0, -0.5, 50)}, None),
        "north up": (
            {"crs": "EPSG:4326", "transform": rasterio.Affine(0.5, 0, 10, 0, -0.5, 50)},
            16,
        ),
        "south up": (
            {"crs": "EPSG:4326", "transform": rasterio.Affine(0.5, 0, 10, 0, 0.5, 44)},
            16,
        ),
        "mirrored": (
            {"crs": "EPSG:4326", "transform": rasterio.Affine(-0.5, 0, 18, 0, -0.5, 50)},
            16,
        ),
        "turned": ({"crs": "EPSG:4326", "transform": rasterio.Affine(0, 0.5, 10, 0.5, 0, 44)}, 16),
        "sheared to lines": (
            {"crs": "EPSG:4326", "transform": rasterio.Affine(1, 2, 0, 2, 4, 0)},
            None,
        ),
        "with heights": (
            {"crs": "EPSG:4326+5773", "transform": rasterio.Affine(0.5, 0, 10, 0, -0.5, 50)},
            16,
        ),
        "a turn away": (
            {"crs": "EPSG:4326", "transform": rasterio.Affine(0.5, 0, 370, 0, -0.5, 50)},
            16,
        ),
        "heights alone": (
            {"crs": "EPSG:5773", "transform": rasterio.Affine(0.5, 0, 10, 0, -0.5, 50)},
            None,
        ),
    }
    for name, (georeference, right) in forms.items():

        def write(root: Path, url: str, georeference: dict[str, Any] = georeference) -> None:
            del url
            shape = {"height": HEIGHT, "width": WIDTH, "count": 1, "dtype": "uint8"}
            with rasterio.open(
                root / "a.tif", "w", driver="GTiff", **shape, **georeference
            ) as file:
                file.write(np.ones((1, HEIGHT, WIDTH), np.uint8))
            (root / "r.geojson").write_text(json.dumps(square))

        yield Fault(f"georeference: {name}", write, _count, right)
    aux = {"SRS": "EPSG:3857", "GeoTransform": "0, 1, 0, 0, 0, 1"}
    for element, text in aux.items():

        def beside(root: Path, url: str, element: str = element, text: str = text) -> None:
            del url
            write_tif(root / "a.tif", VALUES)
            content = f"<PAMDataset><{element}>{text}</{element}></PAMDataset>"
            (root / "a.tif.aux.xml").write_text(content)

        yield Fault(f"{element} in .aux.xml", beside, read_values)


def rows() -> Iterator[Row]:
    yield from rows_of(faults())


def rows_of(classes: Iterator[tuple[str, list[Fault]]]) -> Iterator[Row]:
    """Read every hostile file, with a server on this machine that counts requests."""
    logging.getLogger("rasterio").setLevel(logging.CRITICAL)
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_error(404)

        def log_message(self, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/x"
    for name, members in classes:
        outcomes = [check(fault, address, requests) for fault in members]
        refused, right = (sum(outcome[k] for outcome in outcomes) for k in (0, 1))
        lost = [
            f"{fault.description}: {outcome[2]}"
            for fault, outcome in zip(members, outcomes, strict=True)
            if not (outcome[0] or outcome[1])
        ]
        yield Row(name, len(members), refused + right, right, len(lost), "; ".join(lost[:3]))
    server.shutdown()
    server.server_close()
