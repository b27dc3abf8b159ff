"""Splits of a folder of samples."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.formats import loaders_file
from openstl_ext.datasets.formats.folder_split import SplitSettings, create_loaders
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for sample in range(20):
        folder = tmp_path / f"sample_{sample:02d}"
        folder.mkdir()
        for t in range(12):
            np.save(folder / f"{t}.npy", np.full((3, 4), t / 16, np.float32))
    return tmp_path


def samples(path: Path, split: str = "train") -> list[list[str]]:
    return json.loads(path.read_text())[split]["samples"]


def numbers(path: Path) -> set[tuple[int, ...]]:
    return {tuple(int(Path(p).stem) for p in sample) for sample in samples(path)}


def test_the_file_has_the_structure_that_simvp_minimal_reads(root: Path) -> None:
    """Users of simvp_minimal could not use the files."""
    path, _ = create_loaders(root, SplitSettings())
    record = json.loads(path.read_text())
    assert list(record) == ["train", "validation", "test", "id"]
    identity = record.pop("id")
    assert path.name == "default_loaders.json"
    assert identity == hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    assert [record[s]["ratio"] for s in record] == [0.7, 0.15, 0.15]
    assert [len(record[s]["samples"]) for s in record] == [14, 3, 3]
    assert record["train"]["samples"][0][10].endswith("/10.npy")  # as a number, 10 follows 9


def test_every_sample_is_in_one_split_and_none_is_lost(root: Path) -> None:
    """A model would be tested on training samples."""
    for train, val in ((0.7, 0.15), (0.33, 0.33), (0.525, 0.475), (1, 0), (0, 1), (0, 0)):
        path, _ = create_loaders(root, SplitSettings(train_ratio=train, val_ratio=val))
        record = json.loads(path.read_text())
        record.pop("id")
        found = [Path(s[0]).parent.name for part in record.values() for s in part["samples"]]
        assert sorted(found) == sorted(p.name for p in root.iterdir() if p.is_dir())
        assert all(part["samples"] for part in record.values())


def test_the_seed_determines_the_splits(root: Path) -> None:
    """Two runs of the same command would not be comparable."""
    assert create_loaders(root, SplitSettings())[0] == create_loaders(root, SplitSettings())[0]
    assert (
        create_loaders(root, SplitSettings())[0] != create_loaders(root, SplitSettings(seed=1))[0]
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, range(12)),
        ({"total_length": 5}, range(5)),
        ({"total_length": 5, "sample_start_index": 4}, range(4, 9)),
        ({"sample_start_index": 4}, range(4, 12)),
        ({"total_length": 3, "reverse": True}, (2, 1, 0)),
        ({"init_final_only": True}, (0, 11)),
        ({"init_final_only": True, "total_length": 6, "reverse": True}, (5, 0)),
    ],
)
def test_the_frames_of_a_window_follow_the_options(
    root: Path, options: dict, expected: range
) -> None:
    """A model would read other frames than its user selected."""
    path, _ = create_loaders(root, SplitSettings(train_ratio=1, val_ratio=0, **options))
    assert numbers(path) == {tuple(expected)}


def test_a_random_start_is_within_the_sample_and_varies(root: Path) -> None:
    """All samples would start at one frame, or beyond their end."""
    settings = SplitSettings(train_ratio=1, val_ratio=0, total_length=5, sample_start_index=-1)
    windows = numbers(create_loaders(root, settings)[0])
    assert len(windows) > 3
    assert all(w == tuple(range(w[0], w[0] + 5)) and w[-1] < 12 for w in windows)


def test_fewer_samples_are_drawn_on_request(root: Path) -> None:
    """A quick trial would use the full set."""
    path, _ = create_loaders(root, SplitSettings(train_ratio=1, val_ratio=0, num_samples=6))
    assert len({Path(s[0]).parent for s in samples(path)}) == 6


def test_short_samples_are_left_out_and_reported(root: Path) -> None:
    """Samples would be dropped silently."""
    (root / "sample_03/11.npy").unlink()
    settings = SplitSettings(train_ratio=1, val_ratio=0, total_length=12)
    path, lines = create_loaders(root, settings)
    assert len(samples(path)) == 19
    assert any("1 samples are too short" in line and "sample_03" in line for line in lines)
    with pytest.raises(DataError, match="no sample has 13 frames"):
        create_loaders(root, SplitSettings(total_length=13))


def test_a_missing_frame_is_named(root: Path) -> None:
    """A time step would be missing within a sample."""
    (root / "sample_07/5.npy").unlink()
    with pytest.raises(DataError, match=r"sample_07/5\.npy.*sample sample_07.*missing"):
        create_loaders(root, SplitSettings())


def test_missing_folders_and_samples_are_reported(tmp_path: Path) -> None:
    """A typo in a path would end in a traceback."""
    with pytest.raises(DatasetNotFoundError, match="data boiling"):
        create_loaders(tmp_path / "nowhere", SplitSettings())
    with pytest.raises(DataError, match="no sample folders"):
        create_loaders(tmp_path, SplitSettings())


@pytest.mark.parametrize(
    "wrong",
    [
        {"train_ratio": 0.8, "val_ratio": 0.3},
        {"val_ratio": -0.1},
        {"num_samples": 0},
        {"seed": -1},
    ],
)
def test_options_out_of_range_are_rejected(wrong: dict) -> None:
    """Splits would overlap or be empty."""
    with pytest.raises(ConfigError):
        SplitSettings(**wrong)


def test_splitting_reads_no_values_on_request(root: Path) -> None:
    """Splitting a terabyte would take as long as an epoch."""
    for path in root.rglob("*.npy"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="not a readable array"):
        create_loaders(root, SplitSettings())
    assert not list(root.glob("*_loaders.json"))
    create_loaders(root, SplitSettings(), check=False)
    assert not (root / "SHA256SUMS").exists()


BAD = {
    "NaN": (np.full((3, 4), np.nan), "12 of 12 values are NaN or infinite"),
    "infinity": (np.full((3, 4), np.inf), "NaN or infinite"),
    "fill value": (np.full((3, 4), -3.4e38), "fill values"),
    "shape": (np.zeros((4, 3)), r"shape \(1, 4, 3\), but other frames have \(1, 3, 4\)"),
    "order": (np.zeros((24, 24, 3)), "height x width x channel"),
}


@pytest.mark.parametrize("kind", BAD)
def test_frames_that_training_would_refuse_are_found_by_the_split(root: Path, kind: str) -> None:
    """A mistake in the data would be found hours later, or never."""
    array, message = BAD[kind]
    np.save(root / "sample_11/7.npy", array)
    with pytest.raises(DataError, match=message) as caught:
        create_loaders(root, SplitSettings())
    assert "sample_11/7.npy" in str(caught.value)
    assert not list(root.glob("*_loaders.json"))


def test_shape_and_values_are_reported(root: Path) -> None:
    """Nobody would see that the values are bytes."""
    _, lines = create_loaders(root, SplitSettings())
    assert "frames (C, H, W) = (1, 3, 4), values from 0 to 0.6875" in lines


def test_a_second_split_does_not_change_what_configs_read(root: Path) -> None:
    """Each config on the folder would break, or resume with other samples."""
    first, _ = create_loaders(root, SplitSettings())
    second, lines = create_loaders(root, SplitSettings(seed=1))
    assert loaders_file.find(root) == first == root / "default_loaders.json"
    assert len(second.name) == len("0123abcd_loaders.json")
    short = second.name.removesuffix("_loaders.json")
    assert any(f"read with --data {root / short}" in line for line in lines)
    content = second.read_bytes()
    assert create_loaders(root, SplitSettings(seed=1))[0] == second
    assert create_loaders(root, SplitSettings())[0] == first
    former = first.read_bytes()
    assert create_loaders(root, SplitSettings(seed=1), as_default=True)[0] == first
    assert first.read_bytes() == content
    assert former in [path.read_bytes() for path in root.glob("*_loaders.json")]


def test_the_only_file_of_an_earlier_version_becomes_the_default(root: Path) -> None:
    """A split beside it would break the configs that read it without its name."""
    first, _ = create_loaders(root, SplitSettings())
    content = first.read_bytes()
    first.rename(root / f"{'0123' * 16}_loaders.json")
    create_loaders(root, SplitSettings(seed=1))
    assert loaders_file.find(root).read_bytes() == content


def test_an_empty_split_is_a_warning(root: Path) -> None:
    """A user would learn only after hours of training that nothing is left to test on."""
    _, lines = create_loaders(root, SplitSettings(train_ratio=1, val_ratio=0))
    warned = [line for line in lines if line.startswith("warning: no sample is left for")]
    assert [line.split()[6].rstrip(";") for line in warned] == ["val", "test"]
    assert not any("warning" in line for line in create_loaders(root, SplitSettings())[1])


@pytest.mark.parametrize("name", ["big.npy", "video.avi", "data.zip"])
def test_a_file_is_refused_with_what_is_expected(tmp_path: Path, name: str) -> None:
    """A user would read that the file does not exist."""
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=rf"{name} is a file, expected a folder of samples"):
        create_loaders(tmp_path / name, SplitSettings())
