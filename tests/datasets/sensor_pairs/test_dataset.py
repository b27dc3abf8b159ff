"""Pairs of images of two sensors."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler
from PIL import Image
from torch.utils.data import DataLoader

from openstl_ext.datasets.sensor_pairs.dataset import SensorPairs
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.sensor_scenes import write_sensor
from openstl_ext.engine.collate import collate
from openstl_ext.engine.loops import Seeded, SeekableBatches
from openstl_ext.engine.split_overlap import check_disjoint
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.spectrum import ABSENT
from tests.small_recipe import SIZES, toy_set

rasterio = pytest.importorskip("rasterio")
OPTICAL, RADAR = SIZES["SensorPairs"]["pairs"]
RGB = ("rgb", "rgb")


@pytest.fixture(scope="module")
def root() -> Path:
    return toy_set("SensorPairs")


def build(root: Path, *sets: dict[str, Any], split: str = "train", **options: Any) -> SensorPairs:
    return SensorPairs(
        root=str(root), split=split, pairs=sets or (OPTICAL, RADAR), image_size=16, **options
    )


def listed(root: Path, *lines: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "train.txt").write_text("".join(f"{line}\n" for line in lines))
    return root


def picture(path: Path, height: int, width: int) -> None:
    """Write a picture in which red is the relative row and green the relative column."""
    rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    planes = np.broadcast_arrays(rows[:, None], columns, 0.5)
    Image.fromarray(np.rint(255 * np.stack(planes, axis=-1)).astype(np.uint8)).save(path)


def test_an_item_has_two_images_their_bands_and_no_target(root: Path) -> None:
    """The net could not tell which projection a channel needs."""
    dataset = build(root)
    item = dataset[5]
    frames, bands = item["inputs"]["frames"], item["inputs"]["bands"]
    assert item["data_samples"] == {}
    assert (frames.shape, frames.dtype) == ((2, 12, 16, 16), torch.float32)
    assert bands[0].tolist() == list(Sensor.read("sentinel2_l2a").indices)
    assert bands[1].tolist() == [15, 16, *[ABSENT] * 10]
    assert (frames[1, 2:] == 0).all()
    assert frames[1, :2].std() > 0.3
    assert dataset.metainfo.synthetic
    assert dataset.metainfo.labels[-1] == "band_12"


def test_both_images_show_the_same_part_after_augmentation(tmp_path: Path) -> None:
    """The net would learn to fill in the content of another place."""
    pairs = listed(tmp_path, "a.png b.png")
    picture(pairs / "a.png", 64, 64)
    picture(pairs / "b.png", 40, 90)
    dataset = build(pairs, {"name": "same", "sensors": RGB}, augment=True)
    sensor = Sensor.read("rgb")
    std = torch.tensor([band.std for band in sensor.bands])
    seen = []
    for seed in range(12):
        torch.manual_seed(seed)
        frames = dataset[0]["inputs"]["frames"]
        place = frames[:, :2] * std[:2, None, None]
        inner = place[..., 2:-2, 2:-2]
        assert (inner[0] - inner[1]).abs().max() < 0.04
        seen.append(place[0, :, 8, 8])
    assert torch.stack(seen).std(dim=0).min() > 0.05  # a crop of its own each time


def test_an_item_depends_on_seed_epoch_and_index_alone(root: Path) -> None:
    """A resumed run, or another number of workers, would train on other images."""
    one, other = (Seeded(dataset=build(root, augment=True), seed=3) for _ in range(2))
    first = one[(2, 7)]["inputs"]["frames"]
    for ticket in ((0, 1), (2, 6), (5, 9)):
        other[ticket]
    assert torch.equal(other[(2, 7)]["inputs"]["frames"], first)
    assert not torch.equal(other[(3, 7)]["inputs"]["frames"], first)


def test_workers_and_the_place_of_a_resume_change_no_batch(root: Path) -> None:
    """A resumed run would train on other images, or on batches of both sets."""
    dataset = Seeded(dataset=build(root, augment=True), seed=3)
    results = []
    for num_workers, first in ((0, 0), (2, 0), (2, 3)):
        sampler = DefaultSampler(dataset, shuffle=True, seed=3)
        batches = SeekableBatches(sampler=sampler, batch_size=2, drop_last=False)
        batches.epoch, batches.first = 1, first
        loader = DataLoader(
            dataset, batch_sampler=batches, num_workers=num_workers, collate_fn=collate
        )
        results.append([batch["inputs"] for batch in loader])
    whole, of_workers, resumed = results
    assert len(whole) == len(of_workers) == 6
    for one, other in ((whole, of_workers), (whole[3:], resumed)):
        for a, b in zip(one, other, strict=True):
            assert torch.equal(a["frames"], b["frames"])
            assert torch.equal(a["bands"], b["bands"])
    for batch in whole:
        assert (batch["bands"] == batch["bands"][0]).all()


def test_batches_of_training_have_one_set_and_others_fit_together(root: Path) -> None:
    """A batch of pairs with different bands could not be stacked."""
    rgb = OPTICAL | {"bands": (None, ("B02", "B03"))}
    train, val = build(root, rgb, RADAR), build(root, rgb, RADAR, split="val")
    assert train.groups == ["optical"] * 5 + ["radar"] * 5
    assert train[0]["inputs"]["frames"].shape[1] == 3
    assert val.groups is None
    batch = collate([val[index] for index in range(len(val))])
    assert batch["inputs"]["frames"].shape == (6, 2, 12, 16, 16)
    assert (batch["inputs"]["bands"][:3, :, 3:] == ABSENT).all()


def test_bands_and_sensors_of_a_user_are_selected(root: Path, tmp_path: Path) -> None:
    """Two sensors of a user would share the projection of a band."""
    names = []
    for name in ("one", "two"):
        write_sensor(tmp_path / f"{name}.json")
        text = (tmp_path / f"{name}.json").read_text().replace("pelican", name)
        (tmp_path / f"{name}.json").write_text(text)
        names.append(str(tmp_path / f"{name}.json"))
    shutil.copytree(root / "optical", tmp_path / "optical")
    dataset = build(
        tmp_path, {"name": "mine", "root": "optical", "sensors": names, "bands": [["edge"], None]}
    )
    first, second = dataset.sensors[0]
    assert first.indices == (21,)
    assert second.indices == (24, 25, 26, 27, 28)


def test_big_earth_net_folders_are_pairs(tmp_path: Path) -> None:
    """The published layout could not be used."""
    from tests.datasets.sensors.test_band_folder import patch, write_band

    patch(tmp_path / "S2/S2A_MSIL2A_20170613T101031_0_45")
    radar = tmp_path / "S1/S1A_IW_GRDH_1SDV_20170613T165043_33UUP_0_45"
    for name in ("VV", "VH"):
        write_band(radar / f"{radar.name}_{name}.tif", np.full((12, 12), -15.5, np.float32))
    listed(tmp_path, f"S2/S2A_MSIL2A_20170613T101031_0_45\tS1/{radar.name}")
    sets = {"name": "ben", "sensors": ["sentinel2_l2a", "sentinel1_grd"]}
    dataset = build(tmp_path, sets)
    frames = dataset[0]["inputs"]["frames"]
    low, high = -29.5197, -3.4569
    expected = ((-15.5 - low) / (high - low) - 0.649346) / 0.190305
    np.testing.assert_allclose(frames[1, 0], expected, atol=1e-4)
    assert len(dataset.sample_id(0)) < 120


def test_sample_ids_name_the_files_and_frame_ids_each_image(root: Path) -> None:
    """A pair, or an image of it, could be in two splits without a message."""
    train = build(root)
    assert train.sample_id(0).startswith("optical-train_0000-train_0000-")
    assert train.frame_ids(9) == [
        "radar/sentinel2_l2a/train_0004.tif",
        "radar/sentinel1_grd/train_0004.tif",
    ]
    with pytest.raises(IndexError):
        train[10]


def test_an_image_in_the_lists_of_two_splits_is_refused(root: Path, tmp_path: Path) -> None:
    """Reconstructions of trained images would be shown as those of unseen ones."""
    shutil.copytree(root / "radar", tmp_path / "radar")
    train, val = (tmp_path / "radar" / f"{split}.txt" for split in ("train", "val"))
    first, second = train.read_text().split()[:2]
    val.write_text(f"{val.read_text()}{first} other/{Path(second).name}\n")
    message = rf"the set radar: the lists of train and val share 1 images, such as {first}; remove"
    with pytest.raises(DataError, match=message):
        build(tmp_path, RADAR)
    with pytest.raises(DataError, match="the lists of val and train share 1 images"):
        build(tmp_path, RADAR, split="val")


def test_a_pair_of_different_places_is_refused(root: Path, tmp_path: Path) -> None:
    """The net would be trained to predict one place from another."""
    shutil.copytree(root / "radar", tmp_path / "radar")
    names = "sentinel2_l2a/train_0000.tif", "sentinel1_grd/train_0001.tif"
    listed(tmp_path / "radar", " ".join(names))
    with pytest.raises(DataError, match=r"train_0000.tif and .*train_0001.tif share 0% of their"):
        build(tmp_path, RADAR)[0]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a.png"], r"pair 1 has 1 paths: 'a.png'; write two"),
        (["a.png b.png", "", "a.png  b.png"], "pairs 1 and 2 are equal: a.png b.png; remove one"),
        ([], "has no pair"),
        (["a.png c.png"], r"c.png, which is paired with .*a.png, does not exist; fetch it"),
        (["c.png b.png"], r"c.png, which is paired with .*b.png, does not exist; fetch it"),
    ],
)
def test_a_mistake_in_a_list_is_named(lines: list[str], message: str, tmp_path: Path) -> None:
    """Pairs would be missing, or a run would end in the middle of an epoch."""
    for name in "ab":
        picture(tmp_path / f"{name}.png", 8, 8)
    listed(tmp_path, *lines)
    with pytest.raises(DataError, match=message):
        build(tmp_path, {"name": "mine", "sensors": RGB})


def test_paths_with_blanks_have_a_tab_between_them(tmp_path: Path) -> None:
    """Files of a user would have to be renamed."""
    picture(tmp_path / "a b.png", 8, 8)
    dataset = build(listed(tmp_path, "a b.png\ta b.png"), {"name": "mine", "sensors": RGB})
    assert dataset[0]["inputs"]["frames"].shape == (2, 3, 16, 16)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "a b"}, r"pairs\[0\].name: 'a b' is no word"),
        ({"sensor": RGB}, r"pairs\[0\]: .*`sensor`; the keys of a set are name, sensors, root, li"),
        ({"sensors": ["rgb"]}, r"pairs\[0\]: Expected `array` of length 2"),
        ({"sensors": ["rgb", "sentinel3"]}, "did you mean 'sentinel"),
        ({"bands": [["green"], ["B99"]]}, "no band 'B99'"),
    ],
)
def test_a_mistake_in_the_config_is_named(entry: dict[str, Any], message: str, root: Path) -> None:
    """Other bands than those of the files would be assumed."""
    with pytest.raises((ConfigError, DataError), match=message):
        build(root, OPTICAL | entry)


def test_sets_and_lists_that_cannot_be_used_are_refused(root: Path) -> None:
    """A run would validate on its training pairs, or augment its validation."""
    with pytest.raises(ConfigError, match=r"has the sets \['radar', 'radar'\]; .* each a name"):
        build(root, RADAR, RADAR)
    with pytest.raises(ConfigError, match=r"one list, train.txt, which is that of training"):
        build(root, RADAR | {"list": "train.txt"}, split="val")
    with pytest.raises(DatasetNotFoundError, match="openstl-ext data pair-sensors --help"):
        build(root, RADAR | {"list": "pairs_{split}.txt"})
    with pytest.raises(ConfigError, match="augment is for training; remove it from the val"):
        build(root, split="val", augment=True)


def test_an_image_in_two_splits_is_found_before_training(root: Path, tmp_path: Path) -> None:
    """A validation would use images of the training."""
    shutil.copytree(root / "radar", tmp_path / "radar")
    train, val = (build(tmp_path, RADAR, split=split) for split in ("train", "val"))
    check_disjoint({"train": train, "val": val})
    shared = "sentinel2_l2a/train_0002.tif sentinel1_grd/val_0000.tif"
    (tmp_path / "radar/other_val.txt").write_text(shared)
    other = build(tmp_path, RADAR | {"list": "other_{split}.txt"}, split="val")
    with pytest.raises(ConfigError, match=r"share 1 .*sentinel2_l2a/train_0002.tif"):
        check_disjoint({"train": train, "val": other})


def test_images_in_memory_are_those_of_the_files(tmp_path: Path) -> None:
    """A quicker training would be another one."""
    SensorPairs.make_toy(tmp_path)
    pairs = [{"name": "radar", "root": "radar", "sensors": ["sentinel2_l2a", "sentinel1_grd"]}]
    common = {"root": str(tmp_path), "split": "train", "pairs": pairs, "image_size": 16}
    read, kept = (SensorPairs(**common, augment=True, in_memory=flag) for flag in (False, True))
    for index in (1, 1, 0):
        frames = []
        for dataset in (read, kept):
            torch.manual_seed(index)
            frames.append(dataset[index]["inputs"]["frames"])
        assert torch.equal(*frames)
