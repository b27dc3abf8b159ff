"""The commands of docs/own_data.md, on small files."""

import re
import shlex
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from PIL import Image

from openstl_ext import cli
from openstl_ext.json_file import read_json
from tests.frame_sources.grids import write
from tests.frame_sources.test_video import frames_of, write_video
from tests.rasters.files import write_tif

PAGE = Path(__file__).parents[1] / "docs/own_data.md"
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the files that the page names, in the current folder."""
    rng = np.random.default_rng(0)
    for sequence in range(3):
        (tmp_path / f"photos/clip{sequence}").mkdir(parents=True)
        for frame in range(8):
            picture = rng.integers(0, 256, (16, 20, 3), np.uint8)
            Image.fromarray(picture).save(tmp_path / f"photos/clip{sequence}/{frame}.png")
    wind = 5 + rng.normal(size=(60, 2, 16, 24)).astype(np.float32)
    wind[::7, :, :2, :2] = np.nan
    np.save(tmp_path / "wind.npy", wind)
    np.save(tmp_path / "newest.npy", wind[-4:])
    write_other_formats(tmp_path, wind[:, 0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_other_formats(folder: Path, frames: NDArray[np.float32]) -> None:
    """Write videos, a grid in three formats, and GeoTIFFs, with frames (T, H, W)."""
    for name in ("clips", "ndvi"):
        (folder / name).mkdir()
    for clip in range(3):
        write_video(folder / f"clips/{clip}.mp4", frames_of(24), "mp4v")
    hours = np.datetime64("2001-01-01T00", "ns") + np.arange(len(frames)) * np.timedelta64(6, "h")
    data = xr.Dataset({"t2m": (("time", "lat", "lon"), frames, {"units": "K"})}, {"time": hours})
    data["u10"] = data["t2m"] * 2
    write(folder / "weather.nc", data)
    write(folder / "weather.zarr", data)
    with h5py.File(folder / "storms.h5", "w") as file:
        file["vil"] = np.arange(4 * 16 * 24 * 8).reshape(4, 16, 24, 8).astype(np.uint8)
    for day in range(1, 31):
        write_tif(folder / f"ndvi/ndvi_2001-06-{day:02d}.tif", frames[day])


@pytest.mark.slow
def test_the_documented_commands_run(folder: Path) -> None:
    """A user would start from commands that do not run."""
    commands = [line for block in BLOCK.findall(PAGE.read_text()) for line in block.splitlines()]
    assert len(commands) == 10
    for command in commands:
        cli.call(shlex.split(command)[1:])
    for name in ("photos", "wind"):
        run = folder / "work_dirs" / name / "simvp_gsta_small/seed_0"
        result = read_json(run / "result.json", dict)
        assert np.isfinite(result["metrics"]["mse"])
        assert (folder / "data" / name / "sample.png").is_file()
    for name in ("clips", "t2m", "storms", "zarr", "ndvi"):
        assert (folder / "data" / name / "sample.png").is_file()
    forecast = np.load(folder / "forecast.npy")
    assert forecast.shape == (2, 2, 16, 24)
    assert 2 < forecast.mean() < 8  # in the unit of the data
