"""Opening of rasters: GeoTIFF only, no other file, no network, no bombs."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp

from openstl_ext.errors import DataError
from openstl_ext.rasters.fill_values import find_fill
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.layer import RasterLayer, RasterStack
from openstl_ext.rasters.opening import open_raster
from openstl_ext.rasters.window import Window
from tests.rasters.files import NORTH_UP, grid_of, write_tif

VALUES = np.arange(12 * 16, dtype=np.int16).reshape(12, 16)
ALL = Window(0, 0, 12, 16)
VRT = """<VRTDataset rasterXSize="16" rasterYSize="12"><VRTRasterBand dataType="Int16" band="1">
<SimpleSource><SourceFilename relativeToVRT="0">{}</SourceFilename><SourceBand>1</SourceBand>
</SimpleSource></VRTRasterBand></VRTDataset>"""


@pytest.fixture
def requests() -> Iterator[tuple[str, list[str]]]:
    """The address of a server, and the paths that are requested from it."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/x.tif", seen
    server.shutdown()
    server.server_close()


def nan_of(path: Path, band: int = 1) -> np.ndarray:
    return np.isnan(RasterLayer(path, band=band).read(ALL))


@pytest.mark.parametrize("ending", ["", ".msk"])
def test_a_raster_of_another_driver_is_refused(
    tmp_path: Path, requests: tuple[str, list[str]], ending: str
) -> None:
    """A file called .tif would read other files, and the network."""
    path, other = tmp_path / "a.tif", write_tif(tmp_path / "other.tif", VALUES)
    for source in (other, f"/vsicurl/{requests[0]}"):
        write_tif(path, VALUES)
        Path(f"{path}{ending}").write_text(VRT.format(source))
        with pytest.raises(DataError, match=rf"a\.tif{ending} is not a raster in the format Geo"):
            RasterLayer(path).read(ALL)
    assert requests[1] == []


def test_overviews_and_addresses_beside_a_raster_are_not_read(
    tmp_path: Path, requests: tuple[str, list[str]]
) -> None:
    """A file beside a raster would make GDAL read other files, and the network."""
    path = write_tif(tmp_path / "a.tif", VALUES)
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=f"/vsicurl/{requests[0]}")
    Path(f"{path}.ovr").write_text(VRT.format(f"/vsicurl/{requests[0]}"))
    Path(f"{path}.aux.xml").write_text(
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/vsicurl/{requests[0]}'
        "</MDI></Metadata></PAMDataset>"
    )
    np.testing.assert_array_equal(RasterLayer(path).read(ALL), VALUES)
    assert requests[1] == []


@pytest.mark.parametrize(
    "text",
    [
        "<SRS>EPSG:3857</SRS>",
        "<GeoTransform>0,1,0,0,0,1</GeoTransform>",
        '<GCPList Projection="EPSG:4326"></GCPList>',
        '<PAMRasterBand band="1"><NoDataValue>5</NoDataValue></PAMRasterBand>',
        '<PAMRasterBand band="1"><Scale>5</Scale></PAMRasterBand>',
        '<PAMRasterBand band="1"><Description>red</Description></PAMRasterBand>',
    ],
)
def test_metadata_beside_a_raster_that_change_it_are_refused(tmp_path: Path, text: str) -> None:
    """Values or places that other programs show would be ignored."""
    path = write_tif(tmp_path / "a.tif", VALUES)
    Path(f"{path}.aux.xml").write_text(f"<PAMDataset>{text}</PAMDataset>")
    with pytest.raises(DataError, match=r"a\.tif\.aux\.xml sets .*gdal_translate"):
        open_raster(path)


def test_statistics_beside_a_raster_are_ignored(tmp_path: Path) -> None:
    """Every raster that was once viewed in QGIS would be refused."""
    path = write_tif(tmp_path / "a.tif", VALUES)
    Path(f"{path}.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><Metadata><MDI key="STATISTICS_MEAN">1</MDI>'
        "</Metadata></PAMRasterBand></PAMDataset>"
    )
    np.testing.assert_array_equal(RasterLayer(path).read(ALL), VALUES)


@pytest.mark.parametrize(
    "name",
    [
        "/vsicurl/http://127.0.0.1:9/x.tif",
        "http://127.0.0.1:9/x.tif",
        "zip:///a.zip!b.tif",
        "GTIFF_DIR:1:a.tif",
        "",
        ".",
    ],
)
def test_a_path_is_that_of_a_local_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GDAL would fetch a path with a prefix."""
    write_tif(tmp_path / "a.tif", VALUES)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        open_raster(name)


@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((60_000, 60_000), {"blockysize": 60_000, "compress": "deflate"}),
        ((2**20, 2**20), {"tiled": True, "blockxsize": 2**14, "blockysize": 2**14}),
        ((2**19, 2**19), {"tiled": True, "blockxsize": 2**13, "blockysize": 2**13}),
        ((16, 2**23), {"tiled": True, "blockxsize": 2**14, "blockysize": 16}),
    ],
)
def test_a_small_file_cannot_declare_a_huge_raster(
    tmp_path: Path, size: tuple[int, int], options: dict[str, object]
) -> None:
    """One window would take gigabytes of memory, or a run hours."""
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        height=size[0],
        width=size[1],
        count=1,
        dtype="uint8",
        crs="EPSG:4326",
        transform=rasterio.Affine(*NORTH_UP),
        sparse_ok=True,
        bigtiff="YES",
        **options,
    ):
        pass
    with pytest.raises(DataError, match=r"a\.tif: .* pixels are declared"):
        open_raster(tmp_path / "a.tif")


def write_five(path: Path, kinds: list[ColorInterp], alpha: np.ndarray) -> Path:
    """Write bytes with a hidden part by an alpha band among five bands."""
    bands = np.full((5, 12, 16), 7, np.uint8)
    bands[kinds.index(ColorInterp.alpha)] = alpha
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=12,
        width=16,
        count=5,
        dtype="uint8",
        crs="EPSG:4326",
        transform=rasterio.Affine(*NORTH_UP),
    ) as file:
        file.colorinterp = kinds
        file.write(bands)
    return path


@pytest.mark.parametrize("place", range(1, 5))
def test_an_alpha_band_hides_pixels_at_any_place(tmp_path: Path, place: int) -> None:
    """Hidden pixels would be values."""
    kinds = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined]
    kinds.insert(place, ColorInterp.alpha)
    alpha = np.full((12, 16), 255, np.uint8)
    alpha[:6], alpha[6, :3] = 0, 1
    path = write_five(tmp_path / "a.tif", kinds, alpha)
    for band in range(1, 6):
        np.testing.assert_array_equal(nan_of(path, band), alpha == 0)


@pytest.mark.parametrize("form", ["nodata", "nan", "internal", "msk", "alpha2", "alpha4"])
def test_missing_pixels_are_those_of_gdal(tmp_path: Path, form: str) -> None:
    """A pixel that GDAL calls invalid would be a value, or a value would be lost."""
    path, hidden = tmp_path / "a.tif", VALUES % 3 == 0
    count = {"alpha2": 2, "alpha4": 4}.get(form, 2)
    kind = np.float32 if form == "nan" else np.uint8
    bands = np.full((count, 12, 16), 9, kind)
    if form in ("nodata", "nan"):
        bands[0, hidden] = np.nan if form == "nan" else 3
    if form.startswith("alpha"):
        bands[-1] = np.where(hidden, 0, 255)
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=form == "internal"),
        rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=12,
            width=16,
            count=count,
            crs="EPSG:4326",
            dtype=kind,
            transform=rasterio.Affine(*NORTH_UP),
            nodata={"nodata": 3, "nan": np.nan}.get(form),
        ) as file,
    ):
        if form.startswith("alpha"):
            file.colorinterp = [ColorInterp.gray] * (count - 1) + [ColorInterp.alpha]
        file.write(bands)
        if form in ("internal", "msk"):
            file.write_mask(~hidden)
    assert Path(f"{path}.msk").exists() == (form == "msk")
    with rasterio.open(path) as file:
        for band in range(1, count + 1 - form.startswith("alpha")):
            np.testing.assert_array_equal(nan_of(path, band), file.read_masks(band) == 0)
    assert nan_of(path).sum() == hidden.sum()


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    """Pixels would be hidden at the wrong place."""
    path = write_tif(tmp_path / "a.tif", VALUES)
    write_tif(tmp_path / "m.tif", np.ones((6, 8), np.uint8)).rename(f"{path}.msk")
    with pytest.raises(DataError, match=r"a\.tif\.msk: size is \(6, 8\)"):
        RasterLayer(path).read(ALL)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("float32", -3.4028235e38),
        ("float32", -3.4e38),
        ("float64", 1e20),
        ("float32", 9.96921e36),
        ("float32", -9999),
        ("int16", -9999),
        ("int16", -32768),
        ("int16", -999),
        ("uint16", 65535),
        ("int16", 32767),
        ("int32", -2147483648),
        ("float32", -99999),
    ],
)
def test_a_fill_value_without_a_tag_is_refused(tmp_path: Path, kind: str, value: float) -> None:
    """Statistics would be those of the fill value, and every normalised value 0."""
    values = (VALUES % 30).astype(kind)
    values[:, :5] = value
    path = write_tif(tmp_path / "a.tif", values)
    with pytest.raises(DataError, match=r"a\.tif: band 1 .* 60 of 192 pixels are .* --nodata"):
        RasterLayer(path).read(ALL)
    assert np.isnan(RasterLayer(path, nodata=value).read(ALL)).sum() == 60
    np.testing.assert_array_equal(RasterLayer(path, codes=True).read(ALL), values.astype("f4"))


@pytest.mark.parametrize(
    "values",
    [
        np.arange(-12_000, 12_000),  # through all customary values
        np.arange(0, 65_536),
        np.array([5, 65535] + [7] * 500),  # one saturated pixel
        np.array([0, 255]),
        np.array([-998.9, 3.0]),
        np.array([]),
    ],
)
def test_ordinary_values_are_not_taken_for_fill_values(values: np.ndarray) -> None:
    """Good rasters would be refused."""
    assert find_fill(values) is None


PLACED = {"crs": "EPSG:4326", "transform": rasterio.Affine(*NORTH_UP)}
POINTS = [
    GroundControlPoint(r, c, 10 + c / 6, 50 - r / 6)
    for r, c in ((0, 0), (0, 12), (12, 0), (12, 12))
]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(
    ("georeference", "message"),
    [
        ({"crs": "EPSG:4326", "gcps": POINTS}, "4 ground control points and no transform"),
        ({"crs": "EPSG:4326"}, "a CRS and no transform"),
        ({**PLACED, "transform": rasterio.Affine(1, 2, 10, 2, 4, 50)}, "no area"),
    ],
)
def test_an_incomplete_georeference_is_refused(
    tmp_path: Path, georeference: dict[str, object], message: str
) -> None:
    """Columns and rows would be taken for longitude and latitude."""
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        height=12,
        width=12,
        count=1,
        dtype="uint8",
        **georeference,
    ) as file:
        file.write(np.ones((1, 12, 12), np.uint8))
    with pytest.raises(DataError, match=rf"a\.tif: the georeference is .*{message}"):
        _ = RasterLayer(tmp_path / "a.tif").grid


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_world_file_is_not_ignored(tmp_path: Path) -> None:
    """A raster whose place is in a file beside it would have none."""
    path = write_tif(tmp_path / "a.tif", VALUES, crs=None, transform=(1, 0, 0, 0, 1, 0))
    assert RasterLayer(path).grid.crs == ""
    (tmp_path / "a.tfw").write_text("1\n0\n0\n-1\n10\n50\n")
    with pytest.raises(DataError, match=r"a\.tfw beside it is not read"):
        _ = RasterLayer(path).grid


UTM = (30.0, 0.0, 5e5, 0.0, -30.0, 5e6)
ESRI = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)


@pytest.mark.parametrize(
    ("one", "other", "transform"),
    [
        ("EPSG:4326", "EPSG:4326+5773", NORTH_UP),
        ("EPSG:4326", "EPSG:4979", NORTH_UP),
        ("EPSG:4326", "OGC:CRS84", NORTH_UP),
        ("EPSG:4326", ESRI, NORTH_UP),
        ("EPSG:4326", "+proj=longlat +ellps=WGS84", NORTH_UP),
        ("EPSG:32633", "EPSG:32633+5773", UTM),
        ("EPSG:32633", "+proj=utm +zone=33 +datum=WGS84", UTM),
        ("EPSG:32633", "+proj=tmerc +lon_0=15 +k=0.9996 +x_0=500000 +datum=WGS84", UTM),
        ("EPSG:3857", "ESRI:102100", UTM),
    ],
)
def test_crss_of_the_same_places_are_equal(one: str, other: str, transform: tuple) -> None:
    """Rasters on the same places would have to be resampled."""
    first, second = (grid_of(crs=crs, transform=transform) for crs in (one, other))
    assert first.differs_from(second) == second.differs_from(first) == []


@pytest.mark.parametrize(
    ("one", "other", "transform", "reason"),
    [
        ("EPSG:4326", "EPSG:4267", NORTH_UP, "datum (World Geodetic System 1984, not North Amer"),
        ("EPSG:4326", "EPSG:4807", NORTH_UP, "prime meridian (0.0, not 2.5969213)"),
        ("EPSG:32633", "EPSG:32634", UTM, "UTM zone 33N, not WGS 84 / UTM zone 34N"),
        ("EPSG:3857", "EPSG:3395", UTM, "projection (Popular"),
        ("EPSG:2263", "EPSG:32118", UTM, "unit (US survey foot, not metre)"),
        ("EPSG:4326", "", NORTH_UP, "WGS 84, not no CRS"),
    ],
)
def test_what_differs_between_crss_is_named(
    tmp_path: Path, one: str, other: str, transform: tuple, reason: str
) -> None:
    """A user could not find out why two rasters are refused."""
    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for path, crs in zip(paths, (one, other), strict=True):
        write_tif(path, VALUES, crs=crs or None, transform=transform)
    with pytest.raises(DataError) as error:
        RasterStack([RasterLayer(path) for path in paths])
    assert reason in str(error.value)


def test_places_are_equal_modulo_a_turn_in_grids_too() -> None:
    """Rasters at 190 E and 170 W would be refused as different."""
    east = grid_of(transform=(1, 0, 190, 0, -1, 50))
    assert east.differs_from(grid_of(transform=(1, 0, -170, 0, -1, 50))) == []
    assert east.differs_from(grid_of(transform=(1, 0, -171, 0, -1, 50))) == ["transform"]


def test_a_crs_that_names_a_file_is_refused() -> None:
    """PROJ would open the file that the CRS of a raster names."""
    wkt = ESRI.replace("]],PRIMEM", '],EXTENSION["PROJ4","+nadgrids=/etc/hostname"]],PRIMEM')
    grid = Grid(height=2, width=2, crs=wkt, transform=NORTH_UP)
    with pytest.raises(DataError, match="names a file or an operation"):
        grid.differs_from(grid_of(2, 2))
