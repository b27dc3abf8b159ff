"""The code and the commands of docs/smarties_features.md."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import save_file

from openstl_ext import cli
from openstl_ext.interop.export import export
from tests.prediction.small_encoder import built, pretraining, write_scene

PAGE = Path(__file__).parents[1] / "docs/smarties_features.md"
BLOCK = re.compile(r"```(python|bash)\n(.*?)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the files that the page names, and a small net in the place of the published one."""
    weights, metadata = export(built(pretraining()), pretraining())
    save_file(weights, tmp_path / "smarties-v1-vitb.safetensors", metadata)
    write_scene(tmp_path / "scene.tif", 32, 40)
    (tmp_path / "images").mkdir()
    write_scene(tmp_path / "images" / "a.tif", 16, 16)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_documented_lines_and_commands_run(folder: Path) -> None:
    """A user would start from code that does not run."""
    blocks = dict(BLOCK.findall(PAGE.read_text()))
    lines = [line for line in blocks["python"].splitlines() if line]
    assert len(lines) <= 5
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)
    assert names["features"].shape == (16, 8, 10)
    assert names["embedding"].shape == (1, 16)
    for command in blocks["bash"].splitlines():
        cli.call(shlex.split(command)[1:])
    assert (folder / "features.tif").is_file()
    assert (folder / "colours.tif").is_file()
    with np.load(folder / "embeddings.npz") as table:
        assert table["name"].tolist() == ["a.tif"]
