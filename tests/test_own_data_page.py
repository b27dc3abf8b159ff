"""The commands of docs/own_data.md, on small files."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openstl_ext import cli
from openstl_ext.json_file import read_json

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
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_documented_commands_run(folder: Path) -> None:
    """A user would start from commands that do not run."""
    commands = [line for block in BLOCK.findall(PAGE.read_text()) for line in block.splitlines()]
    assert len(commands) == 5
    for command in commands:
        cli.call(shlex.split(command)[1:])
    for name in ("photos", "wind"):
        run = folder / "work_dirs" / name / "simvp_gsta_small/seed_0"
        result = read_json(run / "result.json", dict)
        assert np.isfinite(result["metrics"]["mse"])
        assert (folder / "data" / name / "sample.png").is_file()
    forecast = np.load(folder / "forecast.npy")
    assert forecast.shape == (2, 2, 16, 24)
    assert 2 < forecast.mean() < 8  # in the unit of the data
