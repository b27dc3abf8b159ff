"""Writing the boiling set."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.boiling import prepare as boiling
from openstl_ext.datasets.boiling.prepare import BoilingSettings, generate
from openstl_ext.datasets.formats.frame_file import sample_folders
from openstl_ext.datasets.formats.packed import Pack
from openstl_ext.datasets.synthetic.boiling_simulation import initial_states, simulate
from openstl_ext.errors import ConfigError, DataError

RECIPE = BoilingSettings(num_samples=3, num_frames=4, image_size=5)


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_files_and_pack_have_the_values_of_the_simulation(tmp_path: Path) -> None:
    """One of the two forms would have other data."""
    generate(tmp_path, RECIPE)
    expected = simulate(next(initial_states(3, 5, seed=0)), 4, scale=212)
    pack = Pack(tmp_path)
    np.testing.assert_array_equal(pack.array, expected)
    folders = sample_folders(tmp_path)
    assert len(folders) == 3
    for folder in folders:
        index = int(folder.name.rpartition("_")[2])
        assert pack.rows[folder.name] == index
        assert len(folder.name.partition("_boiling_")[0]) == 64
        for t in range(4):
            frame = np.load(folder / f"{t}.npy")
            assert (frame.dtype, frame.shape) == (np.float32, (1, 5, 5))
            np.testing.assert_array_equal(frame, expected[index, t])


def test_the_seed_determines_the_bytes(tmp_path: Path) -> None:
    """Data could not be reproduced from the seed."""
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        settings = BoilingSettings(num_samples=3, num_frames=4, image_size=5, seed=seed)
        generate(tmp_path / name, settings, files=False)
    a, b, c = (Pack(tmp_path / name) for name in "abc")
    assert (tmp_path / "a/packed.npy").read_bytes() == (tmp_path / "b/packed.npy").read_bytes()
    assert list(a.rows) == list(b.rows)
    assert not set(a.rows) & set(c.rows)


def test_a_second_run_keeps_all_files(tmp_path: Path) -> None:
    """A second `make demo` would be slow, or would change data during a training."""
    generate(tmp_path, RECIPE)
    times = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    message = " ".join(generate(tmp_path, RECIPE))
    assert "kept 3 existing samples" in message
    assert "kept the existing packed.json" in message
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == times


@pytest.mark.parametrize("damage", ["frame", "folder", "pack", "flip", "index"])
def test_a_second_run_replaces_missing_and_damaged_files(tmp_path: Path, damage: str) -> None:
    """A killed run would leave an incomplete set that is used as complete."""
    generate(tmp_path, RECIPE)
    before = {k: v for k, v in contents(tmp_path).items() if k != "packed.json"}
    folder = sample_folders(tmp_path)[1]
    if damage == "frame":
        (folder / "2.npy").unlink()
    elif damage == "folder":
        shutil.rmtree(folder)
    elif damage == "pack":
        data = (tmp_path / "packed.npy").read_bytes()
        (tmp_path / "packed.npy").write_bytes(data[:-8])
    elif damage == "flip":
        data = bytearray((tmp_path / "packed.npy").read_bytes())
        data[-3] ^= 1
        (tmp_path / "packed.npy").write_bytes(data)
    else:
        (tmp_path / "packed.json").write_text("{")
    generate(tmp_path, RECIPE)
    after = contents(tmp_path)
    after.pop("packed.json")
    assert after == before
    assert Pack(tmp_path).is_intact()


def test_a_killed_run_leaves_no_partial_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk would leave a sample with too few frames."""
    calls = []

    def save(path: Path, frame: np.ndarray) -> None:
        calls.append(path)
        if len(calls) == 6:
            raise OSError(28, "No space left on device")
        np.lib.format.open_memmap(path, "w+", dtype=frame.dtype, shape=frame.shape)[:] = frame

    with monkeypatch.context() as patch:
        patch.setattr(boiling, "save_array", save)
        with pytest.raises(OSError, match="the disk is full"):
            generate(tmp_path, RECIPE)
    assert [len(list(p.iterdir())) for p in sample_folders(tmp_path)] == [4]
    assert not list(tmp_path.glob("*.part"))
    assert not Pack.exists(tmp_path)
    generate(tmp_path, RECIPE)
    assert len(sample_folders(tmp_path)) == 3
    assert Pack(tmp_path).is_intact()


def test_another_recipe_in_the_same_folder_is_rejected(tmp_path: Path) -> None:
    """Two simulations would be mixed in one set."""
    generate(tmp_path, RECIPE, packed=False)
    with pytest.raises(DataError, match=r"increment is 10, not 20.*--data_path"):
        generate(tmp_path, BoilingSettings(num_samples=3, num_frames=4, image_size=5, increment=20))


def test_a_folder_with_other_samples_is_rejected(tmp_path: Path) -> None:
    """Simulations would be mixed with observations."""
    (tmp_path / "mine").mkdir()
    with pytest.raises(DataError, match="mine"):
        generate(tmp_path, RECIPE)


def test_a_full_disk_is_reported_before_writing(tmp_path: Path) -> None:
    """An hour of writing would end in an error."""
    huge = BoilingSettings(num_samples=10**6, num_frames=1000, image_size=4096)
    with pytest.raises(DataError, match=r"MB are needed and \d+ MB are available.*--packed-only"):
        generate(tmp_path, huge)
    assert [p.name for p in tmp_path.iterdir()] == ["boiling.json"]
    assert json.loads((tmp_path / "boiling.json").read_text())["num_frames"] == 1000


@pytest.mark.parametrize("wrong", [{"num_frames": 0}, {"num_samples": -1}, {"seed": -1}])
def test_options_out_of_range_are_rejected(wrong: dict) -> None:
    """An empty set would be written."""
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        BoilingSettings(**{"num_samples": 1, "num_frames": 2, **wrong})
