"""Frames of every kind are imported, trained on for an epoch, and forecast in the same kind."""

from collections.abc import Callable
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import rasterio
import xarray as xr

from openstl_ext import cli
from openstl_ext.errors import DataError
from openstl_ext.frame_sources import ReadOptions, open_source
from openstl_ext.json_file import read_json
from tests.frame_sources.grids import write
from tests.frame_sources.test_video import write_video
from tests.rasters.files import NORTH_UP, write_tif

STEPS = np.arange(40)[:, None, None]
VALUES = 280 + 5 * np.sin(STEPS / 3 + np.arange(20)[:, None] / 4 + np.arange(28) / 5)
"""Waves (T, H, W), of which an import uses the central 16 x 24 pixels."""
BYTES = np.rint((VALUES - 275) * 25.5).astype(np.uint8)
DAYS = np.datetime64("2001-01-01", "ns") + np.arange(40) * np.timedelta64(1, "D")
LAT, LON = 50.0 - np.arange(20), 4.0 + np.arange(28)


def dataset() -> xr.Dataset:
    frames = VALUES.astype(np.float32)
    return xr.Dataset(
        {"t2m": (("time", "lat", "lon"), frames, {"units": "K"})},
        {"time": DAYS, "lat": LAT, "lon": LON},
    )


def pictures(path: Path) -> None:
    path.mkdir()
    for step, frame in enumerate(BYTES):
        cv2.imwrite(str(path / f"{step:02d}.png"), frame)


def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["vil"] = BYTES


def tifs(path: Path) -> None:
    path.mkdir()
    for day, frame in zip(DAYS.astype("M8[D]"), VALUES.astype(np.float32), strict=True):
        write_tif(path / f"ndvi_{day}.tif", frame)


def video(path: Path) -> None:
    write_video(path, np.repeat(BYTES[..., None], 3, axis=-1))


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "frames": (pictures, "--scale 255"),
    "frames.npy": (lambda path: np.save(path, VALUES[:, None].astype(np.float32)), "--axes TCHW"),
    "frames.npz": (lambda path: np.savez(path, frames=BYTES), "--axes THW --scale 255"),
    "walk.avi": (video, "--scale 255 --grey"),
    "weather.nc": (lambda path: write(path, dataset()), ""),
    "storm.h5": (hdf5, "--axes THW --scale 255"),
    "weather.zarr": (lambda path: write(path, dataset()), ""),
    "ndvi": (tifs, ""),
}
OUTPUTS = {"walk.avi": "next.mp4", "frames": "next", "ndvi": "next"}
WITHOUT_PLACES = ("frames", "frames.npy", "frames.npz", "walk.avi")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_import_train_and_forecast(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kind that can be read would fail in training, or come back as another one."""
    monkeypatch.chdir(tmp_path)
    make, options = KINDS[kind]
    make(tmp_path / kind)
    rule = "--crop 16x24 --window 2+2 --by time --split 0.6/0.2/0.2"
    cli.call(["data", "import", kind, "--out", "data/mine", *rule.split(), *options.split()])
    recipe = ["--recipe", "simvp_gsta_small", "--data", "data/mine"]
    cli.call(["train", *recipe, "--epochs", "1", "--batch-size", "4", "--test", "--quiet"])
    (record,) = tmp_path.glob("work_dirs/**/result.json")
    assert np.isfinite(read_json(record, dict)["metrics"]["mse"])

    out = OUTPUTS.get(kind, f"next{Path(kind).suffix}")
    for name in (out, "values.npy"):
        axes = [] if "--axes" not in options else options.split()[:2]
        call = ["predict", *recipe, "--input", kind, "--out", name, "--last", *axes]
        cli.call([*call, "--no-picture", "--quiet"])
    values = np.load("values.npy").reshape(2, -1, 16, 24)[:, 0].astype(np.float64)
    reading = {
        "next.npy": ReadOptions(axes="TCHW"),
        "next.npz": ReadOptions(variable="frames", axes="TCHW"),
    }
    source = open_source(Path(out), reading.get(out, ReadOptions()))
    assert source.size == (16, 24)
    found = source.read(0, 0, 2)[:, 0].astype(np.float64)
    if kind in ("storm.h5", "frames.npz"):  # decimal numbers, where an .npy of bytes is rounded
        found = np.rint(found).clip(0, 255)
    assert np.abs(found - values).mean() < (6 if out == "next.mp4" else 1e-3)  # mp4 loses details
    if kind in ("weather.nc", "weather.zarr"):
        opened = xr.open_zarr(out) if kind.endswith("zarr") else xr.open_dataset(out)
        np.testing.assert_array_equal(opened["lat"], LAT[2:18])
        np.testing.assert_array_equal(opened["lon"], LON[2:26])
        np.testing.assert_array_equal(
            opened["time"], DAYS[-1] + np.arange(1, 3) * np.timedelta64(1, "D")
        )
        opened.close()
    if kind == "ndvi":
        a, b, c, d, e, f = NORTH_UP
        names = sorted(path.name for path in Path(out).glob("*.tif"))
        assert names == ["20010210.tif", "20010211.tif"]
        with rasterio.open(Path(out) / names[0]) as raster:
            assert tuple(raster.transform)[:6] == (a, b, c + 2 * a, d, e, f + 2 * e)


@pytest.mark.slow
def test_frames_of_neither_size_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The net would be given pixels of another place, or end with a message about shapes."""
    monkeypatch.chdir(tmp_path)
    np.save("frames.npy", VALUES[:, None].astype(np.float32))
    rule = "--axes TCHW --crop 16x24 --window 2+2 --by time --split 0.6/0.2/0.2"
    cli.call(["data", "import", "frames.npy", "--out", "data/mine", *rule.split()])
    recipe = ["--recipe", "simvp_gsta_small", "--data", "data/mine"]
    cli.call(["train", *recipe, "--epochs", "1", "--batch-size", "4", "--quiet"])
    np.save("other.npy", VALUES[:2, None, :18].astype(np.float32))
    with pytest.raises(DataError, match=r"have 18 x 28 pixels .*; give frames of 16 x 24"):
        cli.call(["predict", *recipe, "--input", "other.npy", "--out", "next.npy"])
