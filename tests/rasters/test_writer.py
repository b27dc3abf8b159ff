"""GeoTIFFs are written completely or not at all."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

from openstl_ext.errors import DataError, UserError
from openstl_ext.rasters.layer import RasterLayer
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter
from tests.rasters.files import grid_of

NAN = float("nan")


def test_windows_are_read_back_at_their_positions(tmp_path: Path) -> None:
    """Tiles would be misplaced, or the map would have a wrong georeference."""
    grid = grid_of(70, 100, crs="ESRI:54009", transform=(300.0, 0, 1e6, 0, -300.0, 5e6))
    values = np.random.default_rng(0).random((2, 70, 100), np.float32)
    path = tmp_path / "made" / "map.tif"
    with RasterWriter(
        path, grid, num_bands=2, descriptions=("2025", "2030"), tags={"seed": "1"}, block=16
    ) as writer:
        for band in (1, 2):
            for row in range(-5, 70, 30):
                for column in range(-5, 100, 30):
                    whole = np.pad(values[band - 1], 40)
                    tile = whole[row + 40 : row + 70, column + 40 : column + 70]
                    writer.write(tile, Window(row, column, 30, 30), band)
        assert not path.exists()
    layers = [RasterLayer(path, band=band) for band in (1, 2)]
    assert not layers[0].grid.differs_from(grid)
    assert [layer.description for layer in layers] == ["2025", "2030"]
    for layer, expected in zip(layers, values, strict=True):
        np.testing.assert_array_equal(layer.read(Window(0, 0, 70, 100)), expected)
    with rasterio.open(path) as file:
        assert file.block_shapes == [(16, 16)] * 2
        assert (file.compression.name, file.tags()["seed"]) == ("deflate", "1")
    assert [p.name for p in path.parent.iterdir()] == ["map.tif"]


@pytest.mark.parametrize(
    ("dtype", "nodata", "tag"),
    [
        ("float32", None, NAN),
        ("float32", -9999.0, -9999.0),
        ("uint8", None, 255),
        ("int16", None, -32768),
        ("uint8", 0, 0),
    ],
)
def test_unwritten_and_nan_pixels_are_nodata(
    tmp_path: Path, dtype: str, nodata: float | None, tag: float
) -> None:
    """Pixels without a forecast would be 0."""
    path = tmp_path / "map.tif"
    values = np.full((10, 10), 3.0)
    values[0, 0] = np.nan
    with RasterWriter(path, grid_of(64, 64), dtype=dtype, nodata=nodata, block=16) as writer:
        writer.write(values, Window(4, 4, 10, 10))
    with rasterio.open(path) as file:
        stored = file.read(1)
        np.testing.assert_equal(file.nodata, tag)
    expected = np.full((64, 64), tag)
    expected[4:14, 4:14] = 3
    expected[4, 4] = tag
    np.testing.assert_array_equal(stored, expected)
    assert np.isnan(RasterLayer(path).read(Window(0, 0, 64, 64))).sum() == 64 * 64 - 99


def test_integers_are_rounded_and_never_wrapped(tmp_path: Path) -> None:
    """Class 256 would become class 0, or 2.9999 would become 2."""
    path = tmp_path / "map.tif"
    with RasterWriter(path, grid_of(16, 16), dtype="uint8") as writer:
        writer.write(np.full((2, 2), 2.9999), Window(0, 0, 2, 2))
        writer.write(np.full((2, 2), True), Window(2, 2, 2, 2))
        with pytest.raises(DataError, match=r"map\.tif: uint8 cannot store values from 256 to 256"):
            writer.write(np.full((2, 2), 256), Window(4, 4, 2, 2))
    with rasterio.open(path) as file:
        assert file.read(1)[[0, 2], [0, 2]].tolist() == [3, 1]


def test_an_error_leaves_the_old_map_and_nothing_else(tmp_path: Path) -> None:
    """An incomplete map would replace a complete one."""
    path = tmp_path / "map.tif"

    def write(value: float, stop: bool) -> None:
        with RasterWriter(path, grid_of(32, 32)) as writer:
            writer.write(np.full((32, 32), value), Window(0, 0, 32, 32))
            if stop:
                raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        write(1.0, stop=True)
    assert list(tmp_path.iterdir()) == []
    write(2.0, stop=False)
    with pytest.raises(RuntimeError):
        write(3.0, stop=True)
    assert list(tmp_path.iterdir()) == [path]
    assert (RasterLayer(path).read(Window(0, 0, 32, 32)) == 2).all()


def test_sidecar_files_of_the_old_map_are_removed(tmp_path: Path) -> None:
    """The mask of the old map would hide parts of the new one."""
    path = tmp_path / "map.tif"
    for ending in (".msk", ".ovr", ".aux.xml"):
        path.with_name(path.name + ending).write_text("old")
    with RasterWriter(path, grid_of(32, 32)):
        pass
    assert list(tmp_path.iterdir()) == [path]


def test_an_impossible_map_is_rejected_at_the_start(tmp_path: Path) -> None:
    """Hours of computation would end in a file that cannot be written."""
    path, grid = tmp_path / "map.tif", grid_of(32, 32)
    with (
        pytest.raises(UserError, match=r"map\.tif cannot be written"),
        RasterWriter(path, grid, block=17),
    ):
        pass
    with pytest.raises(ValueError, match="does not fill"), RasterWriter(path, grid) as writer:
        writer.write(np.zeros((2, 3)), Window(0, 0, 3, 2))
    assert list(tmp_path.iterdir()) == []


def test_values_are_stored_with_scale_and_offset(tmp_path: Path) -> None:
    """A raster with a scale would be read back with other values."""
    path, grid = tmp_path / "map.tif", grid_of(3, 4)
    values = np.linspace(-2, 3, 12).reshape(3, 4)
    values[1, 2] = np.nan
    window = Window(0, 0, 3, 4)
    with RasterWriter(path, grid, dtype="int16", scale=0.001, offset=1.0) as writer:
        writer.write(values, window)
    with rasterio.open(path) as file:
        assert (file.scales, file.offsets, file.nodata) == ((0.001,), (1.0,), -32768)
        assert file.read(1)[0, 0] == -3000
    np.testing.assert_allclose(RasterLayer(path).read(window), values, atol=0.00051)


FULL_DISK = """
import resource, signal, sys
import numpy as np
from openstl_ext.errors import UserError
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter
grid = Grid(height=300, width=1000, crs="", transform=(1, 0, 0, 0, -1, 0))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**18, 2**18))
try:
    with RasterWriter(sys.argv[1], grid) as writer:
        writer.write(np.random.default_rng(0).random((100, 1000)), Window(0, 0, 100, 1000))
        print("written")
except UserError as e:
    print(e)
"""


def test_a_full_disk_leaves_no_map(tmp_path: Path) -> None:
    """GDAL's silent failure on a full disk would leave a truncated map."""
    path = tmp_path / "map.tif"
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "written" in output
    assert "map.tif is incomplete" in output
    assert list(tmp_path.iterdir()) == []


def test_a_map_is_written_to_a_local_path_only() -> None:
    """GDAL would send the map to the address of a path such as /vsis3/bucket."""
    with (
        pytest.raises(UserError, match="is not a local path"),
        RasterWriter("/vsimem/folder/a.tif", grid_of()),
    ):
        pass
