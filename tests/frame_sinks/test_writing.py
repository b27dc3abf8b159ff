"""Frames written as their source, and read again."""

import json
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import rasterio
import xarray as xr
from PIL import Image

from openstl_ext.errors import ConfigError, DataError, ShapeError
from openstl_ext.frame_sinks import continue_times, suffix_like, write_like
from openstl_ext.frame_sources import FrameSource, ReadOptions, open_source
from tests.frame_sources.grids import DAYS, LAT, LON, PACKED, temperatures, write
from tests.frame_sources.test_geotiffs import write_series
from tests.frame_sources.test_video import frames_of, write_video
from tests.rasters.files import grid_of

FORECAST = 280 + np.arange(24, dtype=np.float32).reshape(2, 1, 3, 4)
NEXT = np.array(["2000-03-03", "2000-03-04"], "M8[D]")


def grid_source(path: Path) -> FrameSource:
    data = temperatures(grid_mapping="crs", coordinates="area")
    data["crs"] = ((), 0, {"grid_mapping_name": "latitude_longitude"})
    data["area"] = (("lat", "lon"), np.ones((3, 4)))
    data["time"].attrs["standard_name"] = "time"
    return open_source(write(path, data, **PACKED), ReadOptions())


@pytest.mark.parametrize("suffix", [".nc", ".h5", ".zarr"])
def test_a_grid_is_written_with_its_coordinates_and_the_next_dates(
    tmp_path: Path, suffix: str
) -> None:
    """A forecast could not be laid over its input or an observation."""
    source = grid_source(tmp_path / f"in{suffix}")
    assert suffix_like(source) == suffix
    past = source.sequences[0].times
    values = FORECAST.copy()
    values[0, 0, 0, 0] = np.nan
    path = tmp_path / f"out{suffix}"
    write_like(source, path, values, continue_times(past, 2))
    with xr.open_dataset(path, engine="zarr" if suffix == ".zarr" else "h5netcdf") as found:
        assert found["t2m"].dims == ("time", "lat", "lon")
        np.testing.assert_array_equal(found["t2m"].values, values[:, 0])
        np.testing.assert_array_equal(found["time"].values, NEXT)
        np.testing.assert_array_equal(found["lat"].values, LAT)
        np.testing.assert_array_equal(found["lon"].values, LON)
        assert found["lat"].attrs == {"units": "degrees_north"}
        assert found["t2m"].attrs["units"] == "K"
        assert found["crs"].attrs["grid_mapping_name"] == "latitude_longitude"
        assert "area" in found["t2m"].coords
    again = open_source(path, ReadOptions())
    np.testing.assert_array_equal(again.read(0, 0, 2), values)
    np.testing.assert_array_equal(again.sequences[0].times, NEXT)
    assert list(map(str, again.channels)) == ["t2m (K)"]


def test_unknown_times_are_numbers_of_leads(tmp_path: Path) -> None:
    """Made-up dates would be taken for real ones."""
    source = grid_source(tmp_path / "in.nc")
    write_like(source, tmp_path / "out.nc", FORECAST)
    with xr.open_dataset(tmp_path / "out.nc") as found:
        assert found["time"].values.tolist() == [1, 2]
        assert found["time"].attrs["long_name"] == "frames after the last input"


def test_levels_keep_their_place_among_the_axes(tmp_path: Path) -> None:
    """The levels of a forecast would be those of another order."""
    values = np.arange(120, dtype="f4").reshape(5, 3, 4, 2)
    dims = ("time", "lat", "lon", "level")
    data = xr.Dataset({"z": (dims, values)}, coords={"level": [500, 850]})
    source = open_source(write(tmp_path / "in.nc", data), ReadOptions())
    write_like(source, tmp_path / "out.nc", source.read(0, 0, 5))
    with xr.open_dataset(tmp_path / "out.nc") as found:
        assert found["z"].dims == dims
        np.testing.assert_array_equal(found["z"].values, values)
        assert found["level"].values.tolist() == [500, 850]


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        (["2000-02-27", "2000-02-28"], ["2000-02-29", "2000-03-01"]),
        (["2000-07-01", "2000-08-01", "2000-09-01"], ["2000-10-01", "2000-11-01"]),
        (["2000-01-01", "2000-02-01"], ["2000-03-01", "2000-04-01"]),
        (["2000-01-15T12", "2000-02-15T12"], ["2000-03-15T12", "2000-04-15T12"]),
        (["1990", "1995", "2000"], ["2005", "2010"]),
        (["2000-11", "2000-12"], ["2001-01", "2001-02"]),
        (["2000-01-01T00:00", "2000-01-01T00:05"], ["2000-01-01T00:10", "2000-01-01T00:15"]),
        (["2000-01-01", "2000-01-02", "2000-01-04"], None),
        (["2000-01-01"], None),
    ],
)
def test_times_go_on_with_a_regular_step(past: list[str], expected: list[str] | None) -> None:
    """Forecasts of October would be dated the second of October."""
    found = continue_times(np.array(past, "M8"), 2)
    assert (None if found is None else found.astype(str).tolist()) == expected
    assert continue_times(None, 2) is None


def test_a_series_of_geotiffs_gets_the_next_dates_on_its_grid(tmp_path: Path) -> None:
    """A forecast could not be laid over its input."""
    folder = write_series(
        tmp_path / "in", ("x_202011.tif", "x_202012.tif"), descriptions=("a", "b")
    )
    source = open_source(folder, ReadOptions())
    assert suffix_like(source) == ""
    values = np.arange(2 * 2 * 12 * 16, dtype=np.float32).reshape(2, 2, 12, 16)
    values[1, 0, 0, 0] = np.nan
    write_like(source, tmp_path / "out", values, continue_times(source.sequences[0].times, 2))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["202101.tif", "202102.tif"]
    with rasterio.open(tmp_path / "out" / "202102.tif") as found:
        np.testing.assert_array_equal(found.read(), values[1])
        assert found.descriptions == ("a", "b")
        assert found.crs.to_epsg() == 4326
        assert tuple(found.transform)[:6] == grid_of().transform
    write_like(source, tmp_path / "out.nc", values)
    with xr.open_dataset(tmp_path / "out.nc") as read:
        assert read["frames"].dims == ("time", "channel", "y", "x")
        assert (read["x"].values[0], read["y"].values[0]) == (10.25, 49.75)
        assert read["channel"].values.tolist() == ["a", "b"]
        assert "WGS 84" in read["spatial_ref"].attrs["crs_wkt"]


def video_source(folder: Path, size: tuple[int, int] = (24, 32)) -> FrameSource:
    return open_source(write_video(folder / "in.avi", frames_of(size=size)), ReadOptions())


def test_a_video_is_written_with_its_colours_and_rate(tmp_path: Path) -> None:
    """Red and blue would be exchanged, or the video be slower."""
    source = video_source(tmp_path)
    assert suffix_like(source) == ".mp4"
    frames = source.read(0, 0, 12).astype(np.float32)
    write_like(source, tmp_path / "out.mp4", frames)
    found = open_source(tmp_path / "out.mp4", ReadOptions())
    assert found.sequences[0].num_frames == 12
    assert np.abs(found.read(0, 0, 12) - frames).mean() < 4
    assert cv2.VideoCapture(str(tmp_path / "out.mp4")).get(cv2.CAP_PROP_FPS) == 10


def test_pictures_state_their_range_and_what_is_missing(tmp_path: Path) -> None:
    """Grey values could not be turned into values again."""
    source = grid_source(tmp_path / "in.nc")
    values = FORECAST.copy()
    values[1, 0, 2, 3] = np.nan
    values[0, 0, 0, 0] = 100
    with pytest.raises(ConfigError, match="state two ascending numbers"):
        write_like(source, tmp_path / "out", values)
    write_like(source, tmp_path / "out", values, NEXT, value_range=(270, 320))
    about = json.loads((tmp_path / "out" / "pictures.json").read_text())
    assert about["range"] == [270, 320]
    assert about["files"] == ["20000303.png", "20000304.png"]
    assert (about["values_outside_range"], about["pixels_without_value"]) == (1, 1)
    with Image.open(tmp_path / "out" / "20000304.png") as image:
        pixels = np.asarray(image.convert("RGBA"))
    assert pixels[2, 3, 3] == 0
    assert pixels[0, 0, 3] == 255
    assert pixels[0, 0, 0] == round((values[1, 0, 0, 0] - 270) / 50 * 255)


def test_pictures_of_bytes_are_written_exactly(tmp_path: Path) -> None:
    """A picture would be darker, or red and blue be exchanged."""
    source = video_source(tmp_path)
    frames = source.read(0, 0, 12)
    write_like(source, tmp_path / "out", frames.astype(np.float32))
    found = open_source(tmp_path / "out", ReadOptions())
    np.testing.assert_array_equal(found.read(0, 0, 12), frames)


def test_arrays_have_the_frames_and_what_belongs_to_them(tmp_path: Path) -> None:
    """A forecast would lack its dates."""
    source = grid_source(tmp_path / "in.nc")
    write_like(source, tmp_path / "out.npy", FORECAST)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), FORECAST)
    write_like(source, tmp_path / "out.npz", FORECAST, NEXT)
    with np.load(tmp_path / "out.npz") as found:
        np.testing.assert_array_equal(found["frames"], FORECAST)
        np.testing.assert_array_equal(found["times"], NEXT)
        assert found["channels"].tolist() == ["t2m"]


def test_hdf5_opens_without_xarray(tmp_path: Path) -> None:
    """Users of h5py would have to install another package."""
    write_like(grid_source(tmp_path / "in.nc"), tmp_path / "out.h5", FORECAST, NEXT)
    with h5py.File(tmp_path / "out.h5") as file:
        np.testing.assert_array_equal(file["t2m"][()], FORECAST[:, 0])


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """Inputs or other files would be lost, or rows cut off silently."""
    source = grid_source(tmp_path / "in.nc")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("x")
    for name, expected in (
        ("in.nc", "is or contains the input"),
        ("full", "exists and is not empty"),
        ("out.xyz", r".xyz is no format of frames; choose .npy"),
    ):
        with pytest.raises(ConfigError, match=expected):
            write_like(source, tmp_path / name, FORECAST, value_range=(0, 1))
    with pytest.raises(ShapeError, match=r"expected \(2, 1, 3, 4\)"):
        write_like(source, tmp_path / "a.nc", FORECAST[..., :2])
    with pytest.raises(DataError, match="3 x 4 pixels, the sides of a video are even"):
        write_like(source, tmp_path / "a.mp4", FORECAST, value_range=(270, 310))
    half = np.where(np.arange(2)[:, None, None, None] == 0, np.nan, FORECAST)
    with pytest.raises(DataError, match="12 pixels have no value"):
        write_like(source, tmp_path / "a.mp4", half, value_range=(270, 310))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["full", "in.nc"]


def test_the_dates_of_the_input_are_regular() -> None:
    """The other tests would compare with wrong dates."""
    np.testing.assert_array_equal(continue_times(DAYS, 2), NEXT)
