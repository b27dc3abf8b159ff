"""Tests of ``openstl-ext data info``."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext import cli
from openstl_ext.commands.data.info import default_picture
from openstl_ext.datasets.recognition import classes_with_marks, recognise
from openstl_ext.errors import ConfigError, DatasetNotFoundError, UserError
from openstl_ext.registry import DATASETS
from tests.commands.conftest import RECIPE
from tests.datasets.test_contract import NAMES
from tests.small_recipe import toy_set


def described(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    cli.call(["data", "info", *arguments, "--json", "--no-picture"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_of_every_dataset_is_recognised(name: str) -> None:
    """A user would be told that a prepared folder holds nothing."""
    found = [cls.__name__ for cls in recognise(toy_set(name))]
    assert name in found or (name == "FrameFolders" and found == ["Boiling"])


def test_sizes_and_ranges_are_those_of_the_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong range would lead to a wrong normalisation."""
    root = toy_set("TaxiBJ")
    found = described(capsys, str(root), "--samples", "all")
    with np.load(root / "dataset.npz") as arrays:
        sides = np.concatenate(list(arrays.values())).astype(np.float64)
    expected = (sides[:, :, 1] + 1) / 2
    assert found["dataset"] == "TaxiBJ"
    assert found["synthetic"]
    assert {name: s["num_samples"] for name, s in found["splits"].items()} == {
        "train": 27,
        "val": 3,
        "test": 6,
    }
    assert found["published"]["samples"] == {"train": 20_461, "test": 500}
    assert found["splits"]["train"]["inputs"] == [[4, 2, 32, 32]]
    outflow = found["values"][1]
    assert (outflow["channel"], outflow["unit"], outflow["missing"]) == ("outflow", "0-1", 0)
    assert outflow["low"] == pytest.approx(expected.min(), abs=1e-6)
    assert outflow["high"] == pytest.approx(expected.max(), abs=1e-6)
    assert outflow["mean"] == pytest.approx(expected.mean(), abs=1e-6)
    assert outflow["std"] == pytest.approx(expected.std(), abs=1e-6)
    assert found["bytes"] == sum(p.stat().st_size for p in root.rglob("*") if p.is_file())


def test_the_missing_share_is_that_of_the_values(capsys: pytest.CaptureFixture[str]) -> None:
    """Clouds would seem to be data."""
    root = toy_set("LTSSegmentation")
    found = described(capsys, str(root), "--samples", "all")
    dataset = DATASETS.get("LTSSegmentation")
    missing, labelled = [], []
    for split in ("train", "val", "test"):
        for item in dataset(root=str(root), split=split, patch_size=16):
            missing.append(1 - item["inputs"]["valid"][:, 2].float().mean())
            labelled.append(item["data_samples"]["valid"].float().mean())
    assert found["values"][2]["missing"] == pytest.approx(np.mean(missing), abs=1e-6)
    assert found["values"][2]["missing"] > 0
    assert found["classes"]["without a label"] == pytest.approx(1 - np.mean(labelled), abs=1e-6)
    assert sum(found["classes"].values()) == pytest.approx(1)


def test_the_text_has_licence_splits_and_what_is_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader would take eight toy sequences for the published test set."""
    out = tmp_path / "page.png"
    cli.call(["data", "info", str(toy_set("MovingMNIST")), "--samples", "2", "--out", str(out)])
    text = capsys.readouterr().out
    assert "MovingMNIST (SYNTHETIC)" in text
    assert "licence: MNIST (LeCun, Cortes): CC BY-SA 3.0." in text
    assert "published sample: 20 x 1 x 64 x 64" in text
    row = next(line.split() for line in text.splitlines() if line.startswith("  test "))
    assert row[:3] == ["test", "8", "10,000"]
    assert "of 6 of 11,008 samples" in text
    assert str(out) in text
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_config_gives_the_arguments_of_its_loaders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The description would be of other lengths than those that are trained on."""
    monkeypatch.chdir(tmp_path)
    DATASETS.get("Boiling").make_toy(tmp_path / "data")
    text = RECIPE.replace("root='data'", "root='data', num_inputs=3, num_targets=4")
    (tmp_path / "toy.py").write_text(text)
    found = described(capsys, "toy.py")
    assert found["splits"]["val"]["inputs"] == [[3, 1, 16, 16]]
    assert found["splits"]["val"]["targets"] == [[4, 1, 16, 16]]
    found = described(capsys, "toy.py", "--set", "num_targets=2")
    assert found["splits"]["val"]["targets"] == [[2, 1, 16, 16]]


def test_frames_of_a_user_are_read_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    """A set of fewer frames than the default would be unreadable."""
    found = described(capsys, str(toy_set("FrameFolders")), "--as", "FrameFolders")
    assert found["dataset"] == "FrameFolders"
    assert found["splits"]["test"]["inputs"] == [[10, 1, 16, 16]]
    assert found["licence"] == "not stated: that of your data"


def test_an_unknown_folder_gets_a_sentence_and_a_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The user would not know which file is misplaced, or not find the remedy in a long text."""
    (tmp_path / "something.txt").write_text("")
    with pytest.raises(SystemExit) as ended:
        cli.run(lambda: cli.call(["data", "info", str(tmp_path)]))
    assert ended.value.code == 2
    sentence, head, *known, own = capsys.readouterr().err.splitlines()
    assert sentence == (
        f"error: {tmp_path}: its files are those of no dataset; name the dataset with --as"
    )
    assert head.startswith("known datasets")
    assert own.startswith("your own frames: openstl-ext data import")
    assert [line.split() for line in known if "TaxiBJ" in line] == [["TaxiBJ", "dataset.npz"]]
    assert {line.split()[0] for line in known} == set(classes_with_marks())


def test_the_sample_page_lies_beside_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture would appear in any folder in which the command is called, or among the data."""
    root, here = tmp_path / "sets" / "mine", tmp_path / "here"
    here.mkdir()
    shutil.copytree(toy_set("TaxiBJ"), root)
    before = sorted(root.rglob("*"))
    monkeypatch.chdir(here)
    cli.call(["data", "info", str(root), "--samples", "1"])
    page = root.parent / "sample_mine.png"
    assert f"sample page: {page}\n" in capsys.readouterr().out
    assert page.read_bytes().startswith(b"\x89PNG")
    assert sorted(root.rglob("*")) == before
    assert not list(here.iterdir())
    monkeypatch.chdir(tmp_path)
    assert default_picture(Path("sets/mine")) == Path("sets/sample_mine.png")
    monkeypatch.setattr(os, "access", lambda path, _: path != page.parent)
    cli.call(["data", "info", str(root), "--samples", "1"])
    assert "sample page: work_dirs/sample_mine.png\n" in capsys.readouterr().out
    assert Path("work_dirs/sample_mine.png").is_file()


def test_mistakes_are_answered_in_one_sentence(tmp_path: Path) -> None:
    """A traceback would not tell what to correct."""
    root = str(toy_set("TaxiBJ"))
    with pytest.raises(UserError, match="did you mean 'TaxiBJ'"):
        cli.call(["data", "info", root, "--as", "TaxiBj"])
    with pytest.raises(UserError, match="write KEY=VALUE"):
        cli.call(["data", "info", root, "--set", "val_fraction"])
    with pytest.raises(UserError, match="unexpected keyword argument 'val_fracton'"):
        cli.call(["data", "info", root, "--set", "val_fracton=0.5", "--no-picture"])
    with pytest.raises(ConfigError, match="is no folder, and there is no config"):
        cli.call(["data", "info", str(tmp_path / "nothing")])
    with pytest.raises(ConfigError, match=r"must end with \.png"):
        cli.call(["data", "info", root, "--out", str(tmp_path / "page.jpg")])
    with pytest.raises(DatasetNotFoundError):
        recognise(tmp_path / "nothing")


def test_a_split_that_is_absent_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other splits would not be described, or the gap would go unseen."""
    DATASETS.get("RESISC45").make_toy(tmp_path)
    (tmp_path / "resisc45-val.txt").unlink()
    found = described(capsys, str(tmp_path))
    assert "there is no such split list" in found["problems"]["val"]
    assert set(found["splits"]) == {"train", "test"}
