"""Reading sequences that lie as frames in folders."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from openstl_ext.datasets.boiling.dataset import Boiling
from openstl_ext.datasets.formats.folder_split import SplitRecipe, create_loaders
from openstl_ext.datasets.formats.packed import pack_folders
from openstl_ext.datasets.frame_folders import FrameFolders
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.registry import DATASETS

STEPS = {"num_inputs": 2, "num_targets": 3}


def make(root: Path, *, shape: tuple[int, ...] = (2, 4, 6), suffix: str = "npy") -> Path:
    """Eight samples of twelve frames; each value tells its sample and time."""
    for sample in range(8):
        (root / f"s{sample}").mkdir(parents=True)
        for t in range(12):
            values = np.full(shape, 100 * sample + t, dtype=np.float64)
            if suffix == "npy":
                np.save(root / f"s{sample}/{t}.npy", values)
            else:
                np.savez(root / f"s{sample}/{t}.npz", data=values)
    create_loaders(root, SplitRecipe(train_ratio=0.5, val_ratio=0.25))
    return root


def times(dataset: FrameFolders, index: int) -> tuple[list[int], list[int]]:
    """Sample-free times of what is known and what is asked."""
    item = dataset[index]
    sides = (item["inputs"]["frames"], item["data_samples"]["frames"])
    return tuple([int(v) % 100 for v in side[:, 0, 0, 0]] for side in sides)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("shape", "expected"), [((4, 6), (1, 4, 6)), ((1, 3, 3), (1, 3, 3)), ((5, 6, 2), (5, 6, 2))]
)
def test_any_shape_and_number_of_channels_is_read_in_order(
    tmp_path: Path, suffix: str, packed: bool, shape: tuple, expected: tuple
) -> None:
    """If this fails, somebody's own data cannot be used, or are read in another order."""
    make(tmp_path, shape=shape, suffix=suffix)
    if packed:
        pack_folders(tmp_path)
    seen = set()
    for split, size in (("train", 4), ("val", 2), ("test", 2)):
        dataset = FrameFolders(root=str(tmp_path), split=split, num_inputs=2, num_targets=9)
        assert dataset.is_packed is packed
        assert len(dataset) == size
        assert len(dataset.metainfo.channels) == expected[0]
        for i in range(size):
            item = dataset[i]
            assert item["inputs"]["frames"].shape == (2, *expected)
            assert item["data_samples"]["frames"].shape == (9, *expected)
            assert item["inputs"]["frames"].dtype == torch.float32
            assert times(dataset, i) == ([0, 1], list(range(2, 11)))
            assert int(item["inputs"]["frames"][0].max()) // 100 == int(dataset.sample_id(i)[1:])
            seen.add(dataset.sample_id(i))
        with pytest.raises(IndexError):
            dataset[size]
    assert len(seen) == 8


@pytest.mark.parametrize("packed", [False, True])
def test_windows_that_start_late_or_run_backwards_are_kept(tmp_path: Path, packed: bool) -> None:
    """If this fails, the packed form answers with other frames than the files."""
    make(tmp_path)
    if packed:
        pack_folders(tmp_path)
    late = SplitRecipe(sample_start_index=3, total_length=5, reverse=True)
    path, _ = create_loaders(tmp_path, late)
    dataset = FrameFolders(root=str(tmp_path), loaders=path.name, **STEPS)
    assert dataset.is_packed is packed
    assert times(dataset, 0) == ([7, 6], [5, 4, 3])


def test_a_moved_folder_is_still_read(tmp_path: Path) -> None:
    """If this fails, data must stay where they were made."""
    make(tmp_path / "old")
    pack_folders(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    for packed in (True, False):
        dataset = FrameFolders(root=str(tmp_path / "new"), packed=packed, **STEPS)
        assert dataset.is_packed is packed
        assert times(dataset, 0) == ([0, 1], [2, 3, 4])


def test_a_file_of_simvp_minimal_is_read_and_prefers_the_pack_too(tmp_path: Path) -> None:
    """If this fails, its users cannot bring their splits: absolute paths of another machine."""
    make(tmp_path)
    ours = next(tmp_path.glob("*_loaders.json"))
    text = ours.read_text().replace('"s', '"/home/somebody/boiling_data/s')
    text = text.replace('"/home/somebody/boiling_data/samples"', '"samples"')
    ours.write_text(text)
    assert json.loads(text)["train"]["samples"][0][0].startswith("/home")
    before = FrameFolders(root=str(tmp_path), **STEPS)
    pack_folders(tmp_path)
    after = FrameFolders(root=str(tmp_path), **STEPS)
    assert (before.is_packed, after.is_packed) == (False, True)
    assert times(before, 1) == times(after, 1) == ([0, 1], [2, 3, 4])


def test_a_stale_pack_is_never_read_in_silence(tmp_path: Path) -> None:
    """If this fails, a model trains on data that are no longer there."""
    make(tmp_path)
    pack_folders(tmp_path)
    dataset = FrameFolders(root=str(tmp_path), **STEPS)
    changed = tmp_path / dataset.sample_id(0) / "1.npy"
    np.save(changed, np.full((2, 4, 6), 77.0))
    with pytest.warns(UserWarning, match=r"not what was packed; pack again: openstl-ext.*"):
        dataset = FrameFolders(root=str(tmp_path), **STEPS)
    assert times(dataset, 0) == ([0, 77], [2, 3, 4])


def test_a_pack_of_neighbouring_data_is_not_taken_for_these(tmp_path: Path) -> None:
    """If this fails, a loader file that points elsewhere reads what lies beside it."""
    make(tmp_path / "far")
    make(tmp_path / "near")
    pack_folders(tmp_path / "near")
    file = next((tmp_path / "near").glob("*_loaders.json"))
    record = json.loads(file.read_text())
    for split in ("train", "validation", "test"):
        samples = record[split]["samples"]
        record[split]["samples"] = [[str(tmp_path / "far" / p) for p in s] for s in samples]
    file.write_text(json.dumps(record))
    assert not FrameFolders(root=str(tmp_path / "near"), **STEPS).is_packed


def test_a_packed_set_needs_no_files_and_says_when_it_is_broken(tmp_path: Path) -> None:
    """If this fails, a set in packed form alone is unreadable, or read when it is cut off."""
    make(tmp_path)
    pack_folders(tmp_path)
    for folder in tmp_path.glob("s?"):
        shutil.rmtree(folder)
    assert times(FrameFolders(root=str(tmp_path), **STEPS), 0) == ([0, 1], [2, 3, 4])
    data = (tmp_path / "packed.npy").read_bytes()
    (tmp_path / "packed.npy").write_bytes(data[:-1])
    with pytest.raises(DataError, match=r"packed\.npy"):
        FrameFolders(root=str(tmp_path), **STEPS)


@pytest.mark.parametrize("packed", [False, True])
def test_changing_an_item_does_not_change_the_next_reading(tmp_path: Path, packed: bool) -> None:
    """If this fails, a transform that works in place alters the data from epoch to epoch."""
    make(tmp_path)
    pack_folders(tmp_path)
    dataset = FrameFolders(root=str(tmp_path), packed=packed, **STEPS)
    first = dataset[0]["inputs"]["frames"].clone()
    dataset[0]["inputs"]["frames"].add_(1)
    torch.testing.assert_close(dataset[0]["inputs"]["frames"], first, rtol=0, atol=0)


def test_workers_read_the_same(tmp_path: Path) -> None:
    """If this fails, the number of workers changes the data; a mapping must not cross a fork."""
    make(tmp_path)
    pack_folders(tmp_path)
    dataset = FrameFolders(root=str(tmp_path), **STEPS)
    alone = [dataset[i]["inputs"]["frames"] for i in range(4)]
    loader = DataLoader(dataset, batch_size=2, num_workers=2)
    shared = torch.cat([batch["inputs"]["frames"] for batch in loader])
    torch.testing.assert_close(shared, torch.stack(alone), rtol=0, atol=0)
    again = pickle.loads(pickle.dumps(dataset))  # what spawned workers do
    torch.testing.assert_close(again[1]["inputs"]["frames"], alone[1], rtol=0, atol=0)


def test_ragged_data_are_named_before_training(tmp_path: Path) -> None:
    """If this fails, training stops in the third epoch, at whatever sample it is."""
    make(tmp_path)
    dataset = FrameFolders(root=str(tmp_path), **STEPS)
    name = dataset.sample_id(2)
    path = tmp_path / name / "3.npy"
    whole = path.read_bytes()

    np.save(path, np.zeros((2, 6, 4)))
    with pytest.raises(DataError, match=rf"3\.npy \(sample {name}\): shape \(2, 6, 4\)"):
        FrameFolders(root=str(tmp_path), **STEPS)
    path.write_bytes(whole[:-5])
    with pytest.raises(DataError, match=rf"3\.npy \(sample {name}\): cut off"):
        FrameFolders(root=str(tmp_path), **STEPS)
    path.unlink()
    with pytest.raises(DataError, match=rf"3\.npy \(sample {name}\).*missing"):
        FrameFolders(root=str(tmp_path), **STEPS)
    path.write_bytes(whole)
    with pytest.raises(DataError, match=r"has 12 frames, and 10 inputs with 10 targets need 20"):
        FrameFolders(root=str(tmp_path))


def test_a_nan_is_named_when_its_frame_is_read_and_when_it_is_packed(tmp_path: Path) -> None:
    """If this fails, a NaN in one frame makes every weight NaN, and nobody knows whence."""
    make(tmp_path)
    dataset = FrameFolders(root=str(tmp_path), **STEPS)
    name = dataset.sample_id(1)
    np.save(tmp_path / name / "4.npy", np.full((2, 4, 6), np.nan))
    dataset = FrameFolders(root=str(tmp_path), **STEPS)
    dataset[0]
    with pytest.raises(DataError, match=rf"4\.npy \(sample {name}\): 48 of 48 values are NaN"):
        dataset[1]
    with pytest.raises(DataError, match=rf"4\.npy \(sample {name}\)"):
        pack_folders(tmp_path)


def test_two_windows_of_a_sample_have_two_names(tmp_path: Path) -> None:
    """If this fails, the forecast of one window overwrites that of the other."""
    make(tmp_path)
    file = next(tmp_path.glob("*_loaders.json"))
    windows = [[f"s0/{t}.npy" for t in range(start, start + 5)] for start in (0, 5)]
    file.write_text(json.dumps({"train": {"ratio": 1, "samples": windows}, "id": "x"}))
    dataset = FrameFolders(root=str(tmp_path), **STEPS)
    assert [dataset.sample_id(i) for i in range(2)] == ["s0_00000", "s0_00001"]


def test_what_is_missing_comes_with_the_command_that_makes_it(tmp_path: Path) -> None:
    """If this fails, a newcomer's first run ends in a riddle."""
    nowhere = str(tmp_path / "nowhere")
    with pytest.raises(DatasetNotFoundError, match=r"nowhere.*data boiling") as info:
        Boiling(root=nowhere)
    assert f"data split --data_path {nowhere}" in str(info.value)
    with pytest.raises(DatasetNotFoundError, match=r"nowhere.*data split"):
        FrameFolders(root=nowhere)
    with pytest.raises(DatasetNotFoundError, match=r"_loaders\.json.*data split"):
        FrameFolders(root=str(tmp_path))


def test_arguments_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    """If this fails, a typo in a config is found by its effect on a score."""
    make(tmp_path)
    for wrong in ({"split": "validation"}, {"num_inputs": 0}, {"channels": ("only one",)}):
        with pytest.raises(ConfigError):
            FrameFolders(**{"root": str(tmp_path), **STEPS, **wrong})


@pytest.mark.parametrize("name", ["Boiling", "FrameFolders"])
def test_the_toy_lies_in_the_true_layout(tmp_path: Path, name: str) -> None:
    """If this fails, contract tests test something else than what users have."""
    cls = DATASETS.get(name)
    cls.make_toy(tmp_path)
    ids = set()
    for split in ("train", "val", "test"):
        dataset = cls(root=str(tmp_path), split=split)
        assert dataset[0]["inputs"]["frames"].shape == (10, 1, 16, 16)
        assert dataset[0]["data_samples"]["frames"].shape == (10, 1, 16, 16)
        ids |= {(split, dataset.sample_id(i)) for i in range(len(dataset))}
    assert len(ids) == len({name for _, name in ids}) == 8


def test_boiling_says_what_it_is(tmp_path: Path) -> None:
    """If this fails, a table shows a simulation as an observation."""
    Boiling.make_toy(tmp_path)
    dataset = Boiling(root=str(tmp_path))
    assert dataset.metainfo.synthetic
    assert dataset.metainfo.channels == ("temperature",)
    frames = dataset[0]["inputs"]["frames"]
    assert 0 <= float(frames.min()) < float(frames.max()) <= 1
