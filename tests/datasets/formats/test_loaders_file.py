"""Loader files, ours and simvp_minimal's."""

import json
import os
import re
from pathlib import Path

import pytest

from openstl_ext.datasets.formats import loaders_file
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.loader_files import short_name


def write(path: Path, **splits: list[list[str]]) -> Path:
    record = {name: {"ratio": 0.5, "samples": samples} for name, samples in splits.items()}
    path.write_text(json.dumps({**record, "id": "x"}))
    return path


@pytest.fixture
def frame(tmp_path: Path) -> Path:
    path = tmp_path / "here" / "abc_boiling_1" / "7.npy"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


@pytest.mark.parametrize(
    "written",
    [
        "abc_boiling_1/7.npy",
        "abc_boiling_1\\7.npy",
        "./abc_boiling_1/7.npy",
        "./boiling_data/abc_boiling_1/7.npy",
        "/home/somebody/boiling_data/abc_boiling_1/7.npy",
        "C:\\data\\abc_boiling_1\\7.npy",
    ],
)
def test_paths_resolve_after_the_folder_was_moved(frame: Path, written: str) -> None:
    """A set that was moved, or made on Windows, could not be read."""
    assert loaders_file.resolve(written, frame.parents[1]).samefile(frame)


def test_frames_of_other_folders_are_not_read(
    frame: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loader file from elsewhere would read any array of the computer."""
    other = tmp_path / "other"
    (other / "abc_boiling_1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    outside = [str(frame), "../here/abc_boiling_1/7.npy", "abc_boiling_1/../../here/x/7.npy"]
    for path in [*outside, "..\\here\\abc_boiling_1\\7.npy"]:
        file = write(other / "x_loaders.json", train=[[path]])
        with pytest.raises(DataError, match=r"outside of .*other.*data split --data_path"):
            loaders_file.read(file, "train")
    with pytest.raises(DataError, match="missing"):
        loaders_file.resolve("./here/abc_boiling_1/7.npy", other)
    (other / "abc_boiling_1/7.npy").touch()
    moved = loaders_file.resolve("/not/here/abc_boiling_1/7.npy", other)
    assert moved == other / "abc_boiling_1/7.npy"


def test_links_in_the_folder_are_followed(frame: Path, tmp_path: Path) -> None:
    """Data on another disk could not be used."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "linked").symlink_to(frame.parent)
    file = write(other / "x_loaders.json", train=[["linked/7.npy"]])
    assert loaders_file.read(file, "train") == [["linked/7.npy"]]
    assert loaders_file.resolve("linked/7.npy", other).samefile(frame)


@pytest.mark.parametrize(
    "name", ["a b", "c:d", "lecture.part", "[a]*?", "x,y;z", "\u00e9", "e\u0301"]
)
def test_any_legal_name_of_a_sample_is_kept(tmp_path: Path, name: str) -> None:
    """A sample would be left out, or read as another one."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "0.npy").touch()
    path = f"{name}/0.npy"
    assert loaders_file.key_of(path) == (name, "0")
    assert loaders_file.resolve(path, tmp_path) == tmp_path / name / "0.npy"


def test_a_missing_frame_is_named(frame: Path) -> None:
    """A missing frame would end in a traceback of numpy."""
    with pytest.raises(DataError, match=r"8\.npy \(sample abc_boiling_1\).*missing"):
        loaders_file.resolve("/old/abc_boiling_1/8.npy", frame.parents[1])


def test_the_default_or_the_newest_file_is_found_unless_one_is_named(tmp_path: Path) -> None:
    """A run would use arbitrary splits, or stop at the second file of a folder of simvp_minimal."""
    with pytest.raises(DatasetNotFoundError, match=r"data split --data_path"):
        loaders_file.find(tmp_path)
    one = write(tmp_path / "1_loaders.json")
    assert loaders_file.find(tmp_path) == one
    two = write(tmp_path / "2_loaders.json")
    os.utime(one, (2e9, 2e9))
    assert loaders_file.find(tmp_path) == one
    os.utime(two, (3e9, 3e9))
    assert loaders_file.find(tmp_path) == two
    default = write(tmp_path / "default_loaders.json")
    assert loaders_file.find(tmp_path) == default
    default.unlink()
    write(tmp_path / "._2_loaders.json")
    assert loaders_file.find(tmp_path, "2_loaders.json") == two
    assert loaders_file.find(tmp_path / "elsewhere", str(two)) == two
    with pytest.raises(DataError, match=r"no loader file '3_loaders.json', but 1 .*; 2 \("):
        loaders_file.find(tmp_path, "3_loaders.json")


def test_the_beginning_of_a_name_is_enough_if_it_is_unique(tmp_path: Path) -> None:
    """64 digits would have to be typed, three times."""
    one = write(tmp_path / f"{'0123' * 16}_loaders.json")
    two = write(tmp_path / f"{'0123' * 3}{'4567' * 13}_loaders.json")
    own = write(tmp_path / "own_loaders.json", train=[["a/0.npy", "a/1.npy"]], test=[["b/0.npy"]])
    assert loaders_file.find(tmp_path, "own") == own
    assert loaders_file.find(tmp_path, "01230123012345") == two
    assert [short_name(path) for path in (one, two, own)] == [
        "0123012301230",
        "0123012301234",
        "own",
    ]
    with pytest.raises(DataError, match=r"'0123' is the beginning of several names"):
        loaders_file.find(tmp_path, "0123")
    assert re.fullmatch(
        r"own \(\d{4}-\d\d-\d\d \d\d:\d\d: train 1, test 1 samples of 1-2 frames\)",
        loaders_file.describe(own),
    )
    assert loaders_file.option_for(two) == f"--data {tmp_path / '0123012301234'}"


def test_a_sample_in_two_splits_is_rejected(tmp_path: Path) -> None:
    """A model would be tested on training samples; other frames of a sample count too."""
    path = write(tmp_path / "f", train=[["a/0.npy"], ["b/0.npy"]], test=[["b/5.npy"]])
    with pytest.raises(DataError, match=r"sample b is in train and in test"):
        loaders_file.read(path, "train")


def test_a_missing_split_is_answered_with_the_command_that_makes_it(tmp_path: Path) -> None:
    """The best checkpoint would be chosen on the test split, as upstream does."""
    path = write(tmp_path / "f", train=[["a/0.npy"]], test=[["b/0.npy"]])
    with pytest.raises(DataError, match=r"no validation split.*--val_ratio"):
        loaders_file.read(path, "val")
    assert loaders_file.read(path, "test") == [["b/0.npy"]]


@pytest.mark.parametrize("text", ["", "[]", '{"train": {}}', '{"train": {"samples": [[[[1.0]]]]}}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    """A truncated file would end in a traceback of the parser."""
    path = tmp_path / "x_loaders.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"x_loaders\.json"):
        loaders_file.read(path, "train")
