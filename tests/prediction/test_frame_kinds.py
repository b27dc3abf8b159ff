"""Forecasts of pictures, videos, variables and GeoTIFFs, given back in the kind of the input."""

from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest
import rasterio
import xarray as xr
import zarr

from openstl_ext.datasets.imported_frames.importing import ImportSettings, import_frames
from openstl_ext.datasets.imported_frames.windows import SplitRule
from openstl_ext.errors import UserError
from openstl_ext.frame_sources import ReadOptions, open_source
from tests.prediction.test_request import FORECAST, answer, made, predict_to

BYTES = np.random.default_rng(1).integers(0, 256, (4, 16, 16), dtype=np.uint8)
VALUES = (BYTES / np.float32(255)).astype(np.float32)
TIMES = np.array(["2000-01", "2000-02", "2000-03", "2000-04"], "M8[M]").astype("M8[ns]")
AFTER = np.array(["2000-05", "2000-06"], "M8[M]").astype("M8[ns]")
KTH = FORECAST.replace('type="Boiling"', 'type="KTH"').replace(
    "num_inputs=4", "num_inputs=4, num_targets=2"
)
PLAIN = KTH.replace('type="KTH"', 'type="FrameFolders"')


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_pictures(folder: Path) -> None:
    folder.mkdir(parents=True)
    for t, frame in enumerate(BYTES):
        cv2.imwrite(str(folder / f"{t}.png"), frame)


def forecast_of(method: Any, values: np.ndarray = VALUES) -> np.ndarray:
    """Return the forecast of the method itself, (2, H, W)."""
    found: np.ndarray = answer(method, {"frames": values[None, :, None]}, 2)["forecast"][0, :, 0]
    return found


def in_bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values.astype(np.float64) * 255).clip(0, 255).astype(np.uint8)


def test_pictures_in_and_pictures_out(place: Path) -> None:
    """Bytes would be forecast by a net that was trained on 0 to 1, or given back as decimals."""
    cfg, method = made(place, KTH)
    write_pictures(place / "frames")
    text = predict_to(cfg, "frames", "next")
    assert "picture of frames: next.png" in text
    assert (place / "next.png").read_bytes().startswith(b"\x89PNG")
    source = open_source(place / "next")
    assert (source.dtype, source.size) == (np.dtype("u1"), (16, 16))
    np.testing.assert_array_equal(source.read(0, 0, 2)[:, 0], in_bytes(forecast_of(method)))
    predict_to(cfg, "frames", "next.npy", no_picture=True)
    found = np.load(place / "next.npy")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[:, 0], in_bytes(forecast_of(method)))


def test_folders_of_pictures_become_folders_of_pictures(place: Path) -> None:
    """The forecasts of two sequences would be mixed."""
    cfg, method = made(place, KTH)
    for name in ("a", "b.v2"):
        write_pictures(place / "frames" / name)
    predict_to(cfg, "frames", "next", no_picture=True)
    source = open_source(place / "next")
    assert [sequence.name for sequence in source.sequences] == ["a", "b.v2"]
    np.testing.assert_array_equal(source.read(1, 0, 2)[:, 0], in_bytes(forecast_of(method)))
    assert not (place / "next.png").exists()
    with pytest.raises(UserError, match="choose a folder"):
        predict_to(cfg, "frames", "next.nc", no_picture=True)


def test_a_video_becomes_a_video(place: Path) -> None:
    """A user would have to convert frames by hand."""
    cfg, method = made(place, KTH)
    smooth = np.stack([np.add.outer(np.arange(64), np.arange(64)) + 20 * t for t in range(4)])
    video = cv2.VideoWriter("walk.avi", cv2.VideoWriter.fourcc(*"FFV1"), 10, (64, 64))
    for frame in smooth.astype(np.uint8):
        video.write(np.repeat(frame[..., None], 3, axis=-1))
    video.release()
    predict_to(cfg, "walk.avi", "next.mp4", grey=True)
    past = open_source(place / "walk.avi", ReadOptions(grey=True)).read(0, 0, 4)[:, 0]
    expected = in_bytes(forecast_of(method, (past / np.float32(255)).astype(np.float32)))
    found = open_source(place / "next.mp4", ReadOptions(grey=True)).read(0, 0, 2)[:, 0]
    assert np.abs(found.astype(int) - expected).mean() < 3
    assert (place / "next.png").is_file()


def test_a_variable_keeps_its_coordinates_and_its_times_go_on(place: Path) -> None:
    """The forecast could not be placed on a map or in time."""
    cfg, method = made(place, PLAIN)
    data = xr.DataArray(
        VALUES,
        coords={"time": TIMES, "lat": np.linspace(50, 51, 16), "lon": np.linspace(5, 6, 16)},
        dims=("time", "lat", "lon"),
        attrs={"units": "K"},
        name="temperature",
    )
    data.to_netcdf(place / "past.nc", engine="h5netcdf")
    predict_to(cfg, "past.nc", "next.nc")
    with xr.open_dataset(place / "next.nc", engine="h5netcdf") as found:
        written = found["temperature"]
        assert written.dims == ("time", "lat", "lon")
        assert written.attrs["units"] == "K"
        np.testing.assert_array_equal(written["time"].values, AFTER)
        np.testing.assert_array_equal(written["lat"].values, data["lat"].values)
        np.testing.assert_allclose(written.values, forecast_of(method), atol=1e-5)


@pytest.mark.parametrize("suffix", [".h5", ".zarr"])
def test_arrays_of_hdf5_and_zarr_come_back_as_such(place: Path, suffix: str) -> None:
    """The forecast would be in a format that the user's tools do not read."""
    cfg, method = made(place, PLAIN)
    if suffix == ".h5":
        with h5py.File("past.h5", "w") as file:
            file["frames"] = VALUES
    else:
        zarr.open_group("past.zarr", mode="w").create_array("frames", data=VALUES)
    predict_to(cfg, f"past{suffix}", f"next{suffix}", axes="THW")
    found = open_source(place / f"next{suffix}", ReadOptions(variable="frames", axes="THW"))
    np.testing.assert_allclose(found.read(0, 0, 2)[:, 0], forecast_of(method), atol=1e-5)


def test_geotiffs_become_geotiffs_on_the_same_grid(place: Path) -> None:
    """The forecast would lie elsewhere on the map."""
    cfg, method = made(place, PLAIN)
    (place / "past").mkdir()
    grid = {"crs": "EPSG:32633", "transform": rasterio.Affine(30, 0, 500_000, 0, -30, 4_000_000)}
    for year, frame in zip(range(2000, 2004), VALUES, strict=True):
        with rasterio.open(
            f"past/{year}.tif", "w", "GTiff", 16, 16, 1, dtype="float32", **grid
        ) as file:
            file.write(frame, 1)
    predict_to(cfg, "past", "next")
    files = sorted((place / "next").glob("*.tif"))
    assert [path.stem for path in files] == ["2004", "2005"]
    for path, frame in zip(files, forecast_of(method), strict=True):
        with rasterio.open(path) as file:
            assert (file.crs, file.transform) == (grid["crs"], grid["transform"])
            np.testing.assert_allclose(file.read(1), frame, atol=1e-5)


def test_a_scale_is_applied_and_undone(place: Path) -> None:
    """A forecast would be in other units than its input."""
    cfg, method = made(place, PLAIN)
    np.save(place / "past.npy", BYTES)
    predict_to(cfg, "past.npy", "next.npy", scale="255", no_picture=True)
    np.testing.assert_array_equal(np.load(place / "next.npy"), in_bytes(forecast_of(method)))
    with pytest.raises(UserError, match="expected a number above 0, or none"):
        predict_to(cfg, "past.npy", "next.npy", scale="much")


def test_mistakes_are_answered_in_one_sentence(place: Path) -> None:
    """A forecast would be lost after hours of computation, or be a folder called next.mov."""
    cfg, _ = made(place, KTH)
    write_pictures(place / "frames")
    for options, message in (
        ({"out": "next.mov"}, "or .mp4; choose one"),
        ({"out": "next", "picture": Path("next.jpg")}, "must end with .png"),
        ({"out": "next", "every": 2}, "has 2 frames per sample"),
        ({"out": "next", "channels": ("red",)}, "no channel 'red'"),
    ):
        with pytest.raises(UserError, match=message.replace(".", r"\.")):
            predict_to(cfg, "frames", **options)
    assert [path.name for path in place.iterdir() if path.name.startswith("next")] == []


def test_an_import_decides_scale_channels_and_lengths(place: Path) -> None:
    """Each forecast would need the options of the import again, and bytes would be fed as 0-255."""
    write_pictures(place / "frames")
    colours = place / "colours"
    for name in ("a", "b", "c"):
        (colours / name).mkdir(parents=True)
        for t, frame in enumerate(BYTES):
            cv2.imwrite(str(colours / name / f"{t}.png"), np.repeat(frame[..., None], 3, axis=-1))
    settings = ImportSettings(
        options=ReadOptions(grey=True),
        rule=SplitRule(shares=(0.4, 0.3, 0.3), length=4),
        window=(2, 2),
        scale="255",
    )
    (place / "mine").mkdir()
    import_frames(colours, place / "mine", settings, name="mine")
    text = FORECAST.replace('type="Boiling", root="gone"', 'type="ImportedFrames", root="mine"')
    cfg, method = made(place, text.replace(", num_inputs=4", ""))
    predict_to(cfg, "colours", "next", last=True)
    found = open_source(place / "next").read(2, 0, 2)[:, 0]
    np.testing.assert_array_equal(found, in_bytes(forecast_of(method, VALUES[2:])))
    (place / "mine" / "frames.json").unlink()
    with pytest.raises(UserError, match="give --scale 255"):
        predict_to(cfg, "frames", "again")
    with pytest.raises(UserError, match="channels"):
        predict_to(cfg, "colours", "again", scale="255")
