"""Sequences in folders of frames."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from openstl_ext.datasets.boiling.dataset import Boiling
from openstl_ext.datasets.formats.folder_split import SplitSettings, create_loaders
from openstl_ext.datasets.formats.packed import pack_folders
from openstl_ext.datasets.frame_folders import FrameFolders
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.registry import DATASETS

STEPS = {"num_inputs": 2, "num_targets": 3}


def make(root: Path, *, shape: tuple[int, ...] = (2, 4, 6), suffix: str = "npy") -> Path:
    """Write eight samples of twelve frames, whose values are sample number and time."""
    for sample in range(8):
        (root / f"s{sample}").mkdir(parents=True)
        for t in range(12):
            values = np.full(shape, 100 * sample + t, dtype=np.float64)
            if suffix == "npy":
                np.save(root / f"s{sample}/{t}.npy", values)
            else:
                np.savez(root / f"s{sample}/{t}.npz", data=values)
    create_loaders(root, SplitSettings(train_ratio=0.5, val_ratio=0.25))
    return root


def times(dataset: FrameFolders, index: int) -> tuple[list[int], list[int]]:
    """Return the times of the input frames and of the target frames."""
    item = dataset[index]
    sides = (item["inputs"]["frames"], item["data_samples"]["frames"])
    return tuple([int(v) % 100 for v in side[:, 0, 0, 0]] for side in sides)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("shape", "expected"), [((4, 6), (1, 4, 6)), ((1, 3, 3), (1, 3, 3)), ((5, 6, 2), (5, 6, 2))]
)
def test_frames_of_any_shape_are_read_in_order(
    tmp_path: Path, suffix: str, packed: bool, shape: tuple, expected: tuple
) -> None:
    """Users' own data could not be read, or in another order."""
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
def test_late_and_reversed_windows_are_read(tmp_path: Path, packed: bool) -> None:
    """The packed form would return other frames than the files."""
    make(tmp_path)
    if packed:
        pack_folders(tmp_path)
    late = SplitSettings(sample_start_index=3, total_length=5, reverse=True)
    path, _ = create_loaders(tmp_path, late)
    dataset = FrameFolders(root=str(tmp_path), split="train", loaders=path.name, **STEPS)
    assert dataset.is_packed is packed
    assert times(dataset, 0) == ([7, 6], [5, 4, 3])


def test_a_moved_folder_is_read(tmp_path: Path) -> None:
    """Data could not be moved."""
    make(tmp_path / "old")
    pack_folders(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    for packed in (True, False):
        dataset = FrameFolders(root=str(tmp_path / "new"), split="train", packed=packed, **STEPS)
        assert dataset.is_packed is packed
        assert times(dataset, 0) == ([0, 1], [2, 3, 4])


def test_a_loader_file_of_simvp_minimal_is_read_with_and_without_a_pack(tmp_path: Path) -> None:
    """Its absolute paths of another machine would not be found."""
    make(tmp_path)
    ours = next(tmp_path.glob("*_loaders.json"))
    text = ours.read_text().replace('"s', '"/home/somebody/boiling_data/s')
    text = text.replace('"/home/somebody/boiling_data/samples"', '"samples"')
    ours.write_text(text)
    assert json.loads(text)["train"]["samples"][0][0].startswith("/home")
    before = FrameFolders(root=str(tmp_path), split="train", **STEPS)
    pack_folders(tmp_path)
    after = FrameFolders(root=str(tmp_path), split="train", **STEPS)
    assert (before.is_packed, after.is_packed) == (False, True)
    assert times(before, 1) == times(after, 1) == ([0, 1], [2, 3, 4])


def test_an_outdated_pack_is_not_read(tmp_path: Path) -> None:
    """A model would train on old data."""
    make(tmp_path)
    pack_folders(tmp_path)
    dataset = FrameFolders(root=str(tmp_path), split="train", **STEPS)
    changed = tmp_path / dataset.sample_id(0) / "1.npy"
    np.save(changed, np.full((2, 4, 6), 77.0))
    with pytest.warns(
        UserWarning, match=r"differs from the packed form; pack again: openstl-ext.*"
    ):
        dataset = FrameFolders(root=str(tmp_path), split="train", **STEPS)
    assert times(dataset, 0) == ([0, 77], [2, 3, 4])


def test_a_loader_file_of_other_data_is_rejected_with_and_without_a_pack(tmp_path: Path) -> None:
    """Frames of another folder would be read, or the pack instead of the data it lists."""
    make(tmp_path / "far")
    make(tmp_path / "near")
    file = next((tmp_path / "near").glob("*_loaders.json"))
    record = json.loads(file.read_text())
    for split in ("train", "validation", "test"):
        samples = record[split]["samples"]
        record[split]["samples"] = [[str(tmp_path / "far" / p) for p in s] for s in samples]
    file.write_text(json.dumps(record))
    for packed in (False, True):
        if packed:
            pack_folders(tmp_path / "near")
        with pytest.raises(DataError, match="outside of"):
            FrameFolders(root=str(tmp_path / "near"), split="train", **STEPS)


def test_a_pack_without_files_is_read_unless_truncated(tmp_path: Path) -> None:
    """A set in packed form only would be unreadable, or be read when truncated."""
    make(tmp_path)
    pack_folders(tmp_path)
    for folder in tmp_path.glob("s?"):
        shutil.rmtree(folder)
    assert times(FrameFolders(root=str(tmp_path), split="train", **STEPS), 0) == ([0, 1], [2, 3, 4])
    data = (tmp_path / "packed.npy").read_bytes()
    (tmp_path / "packed.npy").write_bytes(data[:-1])
    with pytest.raises(DataError, match=r"packed\.npy"):
        FrameFolders(root=str(tmp_path), split="train", **STEPS)


@pytest.mark.parametrize("packed", [False, True])
def test_changing_an_item_does_not_change_the_dataset(tmp_path: Path, packed: bool) -> None:
    """A transform that works in place would change the data from epoch to epoch."""
    make(tmp_path)
    pack_folders(tmp_path)
    dataset = FrameFolders(root=str(tmp_path), split="train", packed=packed, **STEPS)
    first = dataset[0]["inputs"]["frames"].clone()
    dataset[0]["inputs"]["frames"].add_(1)
    torch.testing.assert_close(dataset[0]["inputs"]["frames"], first, rtol=0, atol=0)


def test_workers_read_the_same_items(tmp_path: Path) -> None:
    """The number of workers would change the data."""
    make(tmp_path)
    pack_folders(tmp_path)
    dataset = FrameFolders(root=str(tmp_path), split="train", **STEPS)
    alone = [dataset[i]["inputs"]["frames"] for i in range(4)]
    loader = DataLoader(dataset, batch_size=2, num_workers=2)
    shared = torch.cat([batch["inputs"]["frames"] for batch in loader])
    torch.testing.assert_close(shared, torch.stack(alone), rtol=0, atol=0)
    again = pickle.loads(pickle.dumps(dataset))  # what spawned workers do
    torch.testing.assert_close(again[1]["inputs"]["frames"], alone[1], rtol=0, atol=0)


def test_missing_truncated_and_other_frames_are_named_at_construction(tmp_path: Path) -> None:
    """Training would stop in the middle of an epoch."""
    make(tmp_path)
    dataset = FrameFolders(root=str(tmp_path), split="train", **STEPS)
    name = dataset.sample_id(2)
    path = tmp_path / name / "3.npy"
    data = path.read_bytes()

    np.save(path, np.zeros((2, 6, 4)))
    with pytest.raises(DataError, match=rf"3\.npy \(sample {name}\): shape \(2, 6, 4\)"):
        FrameFolders(root=str(tmp_path), split="train", **STEPS)
    path.write_bytes(data[:-5])
    with pytest.raises(DataError, match=rf"3\.npy \(sample {name}\): not a readable array"):
        FrameFolders(root=str(tmp_path), split="train", **STEPS)
    path.unlink()
    with pytest.raises(DataError, match=rf"3\.npy \(sample {name}\).*missing"):
        FrameFolders(root=str(tmp_path), split="train", **STEPS)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"has 12 frames, but 10 inputs and 10 targets need 20"):
        FrameFolders(root=str(tmp_path), split="train")


def test_a_nan_is_named_when_its_frame_is_read_or_packed(tmp_path: Path) -> None:
    """A NaN in one frame would make every weight NaN."""
    make(tmp_path)
    dataset = FrameFolders(root=str(tmp_path), split="train", **STEPS)
    name = dataset.sample_id(1)
    np.save(tmp_path / name / "4.npy", np.full((2, 4, 6), np.nan))
    dataset = FrameFolders(root=str(tmp_path), split="train", **STEPS)
    dataset[0]
    with pytest.raises(DataError, match=rf"4\.npy \(sample {name}\): 48 of 48 values are NaN"):
        dataset[1]
    with pytest.raises(DataError, match=rf"4\.npy \(sample {name}\)"):
        pack_folders(tmp_path)


def test_two_windows_of_a_folder_have_two_names(tmp_path: Path) -> None:
    """The forecast of one window would overwrite that of the other."""
    make(tmp_path)
    file = next(tmp_path.glob("*_loaders.json"))
    windows = [[f"s0/{t}.npy" for t in range(start, start + 5)] for start in (0, 5)]
    file.write_text(json.dumps({"train": {"ratio": 1, "samples": windows}, "id": "x"}))
    dataset = FrameFolders(root=str(tmp_path), split="train", **STEPS)
    assert [dataset.sample_id(i) for i in range(2)] == ["s0-00000", "s0-00001"]


def test_a_numbered_name_that_a_folder_has_is_not_given_twice(tmp_path: Path) -> None:
    """Two samples would be one in files and comparisons."""
    make(tmp_path)
    (tmp_path / "s1").rename(tmp_path / "s0-00000")
    file = next(tmp_path.glob("*_loaders.json"))
    windows = [[f"{name}/{t}.npy" for t in range(5)] for name in ("s0", "s0", "s0-00000")]
    file.write_text(json.dumps({"train": {"ratio": 1, "samples": windows}, "id": "x"}))
    dataset = FrameFolders(root=str(tmp_path), split="train", **STEPS)
    assert len({dataset.sample_id(i) for i in range(3)}) == 3


def test_missing_data_are_answered_with_the_command_that_makes_them(tmp_path: Path) -> None:
    """A first run would end in a traceback."""
    nowhere = str(tmp_path / "nowhere")
    with pytest.raises(DatasetNotFoundError, match=r"nowhere.*data boiling") as info:
        Boiling(root=nowhere, split="train")
    assert f"data split --data_path {nowhere}" in str(info.value)
    with pytest.raises(DatasetNotFoundError, match="--image_size 32"):
        Boiling(root=nowhere, split="train", prepare_size=32)
    with pytest.raises(DatasetNotFoundError, match=r"nowhere.*data split"):
        FrameFolders(root=nowhere, split="train")
    with pytest.raises(DatasetNotFoundError, match=r"_loaders\.json.*data split"):
        FrameFolders(root=str(tmp_path), split="train")


def test_arguments_out_of_range_are_rejected(tmp_path: Path) -> None:
    """A typo in a config would only show in a score."""
    make(tmp_path)
    for wrong in ({"split": "validation"}, {"num_inputs": 0}, {"channels": ("only one",)}):
        with pytest.raises(ConfigError):
            FrameFolders(**{"root": str(tmp_path), "split": "train", **STEPS, **wrong})


@pytest.mark.parametrize("name", ["Boiling", "FrameFolders"])
def test_the_toy_set_has_the_true_format(tmp_path: Path, name: str) -> None:
    """Contract tests would test another format than that of users."""
    cls = DATASETS.get(name)
    cls.make_toy(tmp_path)
    ids = set()
    for split in ("train", "val", "test"):
        dataset = cls(root=str(tmp_path), split=split)
        assert dataset[0]["inputs"]["frames"].shape == (10, 1, 16, 16)
        assert dataset[0]["data_samples"]["frames"].shape == (10, 1, 16, 16)
        ids |= {(split, dataset.sample_id(i)) for i in range(len(dataset))}
    assert len(ids) == len({name for _, name in ids}) == 8


def test_boiling_is_marked_as_synthetic(tmp_path: Path) -> None:
    """A table would show a simulation as an observation."""
    Boiling.make_toy(tmp_path)
    dataset = Boiling(root=str(tmp_path), split="train")
    assert dataset.metainfo.synthetic
    assert dataset.metainfo.labels == ("temperature",)
    frames = dataset[0]["inputs"]["frames"]
    assert 0 <= float(frames.min()) < float(frames.max()) <= 1
