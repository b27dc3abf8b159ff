"""A sensor and a data set of a user, as docs/smarties.md describes them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.synthetic.class_maps import write_raster
from tests.command_line import run_tool

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "smarties.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the code of the page in a language."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return code


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with the sensor, its scenes and the config."""
    pytest.importorskip("rasterio")
    from openstl_ext.datasets.synthetic.sensor_scenes import SceneSize, View, write_classes

    monkeypatch.chdir(tmp_path)
    Path("my_sensor.json").write_text(block("json"))
    Path("heron.py").write_text(block("python"))
    counts = {"train": 20, "val": 10, "test": 10}
    write_classes(Path("my_scenes"), View("my_sensor.json", 20), counts, size=SceneSize(side=240))
    return tmp_path


def test_a_new_sensor_and_its_scenes_need_one_config_and_one_table(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A user would have to change the package, or take random features for those of a training."""
    assert run_tool("train", "heron.py", "--work-dir", "run", "--test") == 0
    assert "the encoder is frozen and has random weights" in "".join(capfd.readouterr())
    record = json.loads((home / "run" / "result.json").read_text())
    assert record["protocol"]["metainfo"]["name"] == "my_scenes"
    assert 0 <= record["metrics"]["overall_accuracy"] <= 1


def write_maps(root: Path) -> None:
    """Write images of the sensor whose brighter half is land."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("val", 2), ("test", 2)):
        for number in range(count):
            labels = np.repeat([[0, 1]], 20, axis=1).repeat(40, axis=0)
            labels = labels.T if number % 2 else labels
            image = 500 + 1500 * labels + rng.normal(0, 100, (5, 40, 40))
            write_raster(root / f"images/{split}_{number}.tif", image.astype(np.uint16))
            write_raster(root / f"labels/{split}_{number}.tif", labels[None].astype(np.uint8))
        names = "".join(f"{split}_{number}\n" for number in range(count))
        (root / f"{split}.txt").write_text(names)


@pytest.mark.slow
def test_label_maps_of_a_new_sensor_need_one_config(home: Path) -> None:
    """A user would have to write a dataset."""
    write_maps(home / "my_maps")
    maps, hooks = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)
    (home / "maps.py").write_text(merged(block("python"), maps))
    assert run_tool("train", "maps.py", "--work-dir", "maps", "--test") == 0
    record = json.loads((home / "maps" / "result.json").read_text())
    assert record["protocol"]["metainfo"]["name"] == "my_maps"
    assert record["metrics"]["iou"] > 0
    start = hooks.replace("work_dirs/my_pretraining/seed_0", "maps")
    start = start.replace('prefix="', 'part="net.encoder", prefix="')
    (home / "again.py").write_text(merged(block("python"), maps) + start)
    assert run_tool("train", "again.py", "--work-dir", "again") == 0


def merged(code: str, changes: str) -> str:
    """Return a config in which blocks are replaced by others of the same names."""
    for name in re.findall(r"^(\w+) = ", changes, flags=re.MULTILINE):
        code = re.sub(rf"^{name} = (?:.*\n)(?:(?: .*|\)|\])\n)*", "", code, flags=re.MULTILINE)
    head, rest = code.split("\n_base_", 1)
    line, rest = rest.split("\n", 1)
    return f"{head}\n_base_{line}\n{changes}{rest}"


def test_a_net_without_the_ranges_of_the_sensor_is_refused(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Bands would be projected by weights of other wavelengths."""
    code = block("python").replace('sensors=["my_sensor.json"],', "")
    (home / "heron.py").write_text(code)
    assert run_tool("train", "heron.py", "--work-dir", "run") == 2
    message = "band 19 is 'heron_violet' of 405-440 nm in the data, but none in SpectralViT; name"
    assert message in capfd.readouterr().err


def test_a_net_with_the_ranges_of_another_sensor_is_refused(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """An index would mean other wavelengths to the net than to the data."""
    (home / "other.json").write_text(block("json").replace("heron", "egret"))
    code = block("python").replace('sensors=["my_sensor.json"]', 'sensors=["other.json"]')
    (home / "heron.py").write_text(code)
    assert run_tool("train", "heron.py", "--work-dir", "run") == 2
    message = "'heron_violet' of 405-440 nm in the data, but 'egret_violet' in SpectralViT"
    assert message in capfd.readouterr().err
    (home / "other.json").write_text(block("json").replace("405", "415"))
    assert run_tool("train", "heron.py", "--work-dir", "run") == 2
    message = "but 'heron_violet' is band 19 of 415-440 nm in SpectralViT"
    assert message in capfd.readouterr().err
