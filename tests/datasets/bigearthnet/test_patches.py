"""Patches of BigEarthNet: bands, values, sensors, targets."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from openstl_ext.cli import main
from openstl_ext.datasets.bigearthnet import BigEarthNet, BigEarthNetMaps
from openstl_ext.datasets.bigearthnet.patches import PatchFolders
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import ConfigError, DataError
from tests.datasets.bigearthnet.patch_files import S1, S2, write_bands, write_pair
from tests.small_recipe import toy_set

BOTH = ("sentinel2", "sentinel1")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 with one pair, of marine waters and pastures."""
    path = tmp_path_factory.mktemp("bigearthnet")
    write_pair(path, ["Sea and ocean", "Pastures", "Airports"])
    (path / "bigearthnet-train.csv").write_text(f"{S2},{S1}\n")
    return path


def normalised(table: str, values: dict[str, float]) -> list[float]:
    bands = {band.name: band for band in Sensor.read(table).bands}
    return [
        ((value - bands[n].low) / (bands[n].high - bands[n].low) - bands[n].mean) / bands[n].std
        for n, value in values.items()
    ]


def test_both_sensors_are_two_steps_with_vv_before_vh(root: Path) -> None:
    """VH would be embedded as VV, or a band of Sentinel-2 as another."""
    dataset = BigEarthNet(root=str(root), split="train", sensors=BOTH, image_size=None)
    inputs = dataset[0]["inputs"]
    assert inputs["frames"].shape == (2, 12, 120, 120)
    assert inputs["bands"][0].tolist() == [0, 1, 4, 6, 7, 8, 10, 9, 11, 12, 13, 14]
    assert inputs["bands"][1].tolist() == [15, 16] + [-1] * 10
    names = dataset.metainfo.labels
    assert names[-2:] == ("VV", "VH")
    optical = {name: 1000 + 100.0 * k for k, name in enumerate(names[:12])}
    found = inputs["frames"][:, :, 60, 60]
    assert found[0].tolist() == pytest.approx(normalised("sentinel2_l2a", optical), rel=1e-4)
    radar = normalised("sentinel1_grd", {"VV": -11.25, "VH": -18.5})
    assert found[1].tolist() == pytest.approx([*radar, *[0.0] * 10], rel=1e-5)


def test_fractions_of_db_are_kept(root: Path) -> None:
    """Backscatter would be rounded to whole dB, as by a reader of integers."""
    folders = PatchFolders(root, 1, ["sentinel1"])
    values = folders.read("sentinel1", S1, Sensor.read("sentinel1_grd"))
    assert values.dtype == np.float32
    assert values[:, 0, 0].tolist() == [-11.25, -18.5]


def test_bands_are_chosen_by_sensor_and_name(root: Path) -> None:
    """A net of three bands could not be trained, or would get others."""
    dataset = BigEarthNet(
        root=str(root),
        split="train",
        sensors=("sentinel1", "sentinel2"),
        bands={"sentinel2": ["B04", "B8A"], "sentinel1": ["VH"]},
        image_size=16,
    )
    inputs = dataset[0]["inputs"]
    assert inputs["frames"].shape == (2, 2, 16, 16)
    assert inputs["bands"].tolist() == [[16, -1], [6, 11]]
    expected = normalised("sentinel2_l2a", {"B04": 1300.0, "B8A": 1800.0})
    assert inputs["frames"][1, :, 8, 8].tolist() == pytest.approx(expected, rel=1e-4)


def test_the_target_has_a_one_for_each_class_of_the_patch(root: Path) -> None:
    """A patch would have the classes of another numbering."""
    labels = BigEarthNet(root=str(root), split="train", image_size=8)[0]["data_samples"]["labels"]
    assert (labels.dtype, labels.shape) == (torch.int64, (19,))
    assert labels.nonzero().flatten().tolist() == [4, 18]


def test_coarse_bands_are_resampled_bilinearly_to_ten_metres(tmp_path: Path) -> None:
    """Bands of 20 and 60 m would be shifted against those of 10 m."""
    for side in (20, 60):
        ramp = 100 + 100 * np.tile(np.arange(side, dtype=np.float32), (side, 1))
        write_bands(tmp_path / f"BigEarthNet-v1.0/p{side}", {"B09": ramp})
        folders = PatchFolders(tmp_path, 1, ["sentinel2"])
        read = folders.read("sentinel2", f"p{side}", Sensor.read("sentinel2_l2a").select(["B09"]))
        centres = (np.arange(120) + 0.5) * side / 120 - 0.5  # in pixels of the file
        expected = 100 + 100 * np.clip(centres, 0, side - 1)
        assert read.shape == (1, 120, 120)
        np.testing.assert_allclose(read[0, 30], expected, rtol=1e-4)


def test_a_gap_does_not_spread_over_its_surroundings(tmp_path: Path) -> None:
    """One missing pixel of a coarse band would remove its neighbours, or become a value."""
    values = np.full((20, 20), 500, np.float32)
    values[5, 5] = np.nan
    write_bands(tmp_path / "BigEarthNet-v1.0/p", {"B01": values})
    folders = PatchFolders(tmp_path, 1, ["sentinel2"])
    read = folders.read("sentinel2", "p", Sensor.read("sentinel2_l2a").select(["B01"]))[0]
    missing = np.isnan(read)
    assert missing[30:36, 30:36].mean() > 0.5
    assert missing.sum() <= 36
    assert (read[~missing] == 500).all()


def test_version_2_is_read_from_its_nested_folders() -> None:
    """A patch of reBEN would not be found."""
    arguments: dict[str, Any] = {"root": str(toy_set("BigEarthNet")), "image_size": 16}
    dataset = BigEarthNet(split="train", version=2, sensors=BOTH, **arguments)
    assert len(dataset) == 6
    assert dataset.metainfo.name == "bigearthnet_v2"
    assert dataset.sample_id(0) == "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_0_0"
    targets = [dataset[i]["data_samples"]["labels"].nonzero().item() for i in (0, 2, 4)]
    assert targets == [18, 9, 2]
    assert dataset[0]["inputs"]["frames"].shape == (2, 12, 16, 16)


def test_pixels_of_codes_without_a_class_are_not_valid() -> None:
    """An airport would count as a class beyond the last, or as urban fabric."""
    dataset = BigEarthNetMaps(root=str(toy_set("BigEarthNetMaps")), split="val", image_size=None)
    target = dataset[1]["data_samples"]
    assert dataset[1]["inputs"]["frames"].shape == (1, 12, 120, 120)
    assert target["labels"].shape == target["valid"].shape == (24, 24)
    assert target["valid"].sum(1).tolist() == [0, *[24] * 23]
    assert target["labels"][1:].unique().tolist() == [9]


def test_all_images_and_the_map_turn_together() -> None:
    """The map would be that of another orientation than the image."""
    arguments: dict[str, Any] = {"root": str(toy_set("BigEarthNetMaps")), "split": "train"}
    arguments |= {"sensors": BOTH, "image_size": 24}
    plain, turning = BigEarthNetMaps(**arguments), BigEarthNetMaps(augment="flips", **arguments)
    frames, valid = plain[0]["inputs"]["frames"], plain[0]["data_samples"]["valid"]
    seen = set()
    for seed in range(12):
        torch.manual_seed(seed)
        item = turning[0]
        for mirror, turns in ((m, k) for m in (False, True) for k in range(4)):
            form = torch.rot90(frames.flip(-1) if mirror else frames, turns, (-2, -1))
            if torch.equal(form, item["inputs"]["frames"]):
                seen.add((mirror, turns))
                moved = torch.rot90(valid.flip(-1) if mirror else valid, turns, (-2, -1))
                assert torch.equal(moved, item["data_samples"]["valid"])
    assert len(seen) > 4
    with pytest.raises(ConfigError, match="augment is for training; remove it from the val"):
        BigEarthNet(root=arguments["root"], split="val", augment="flips")


def test_toy_patches_differ_in_their_mean_values() -> None:
    """A test of a classifier on the toy set could not fail for the right reason."""
    dataset = BigEarthNet(root=str(toy_set("BigEarthNet")), split="train", image_size=16)
    assert dataset.metainfo.synthetic
    means = torch.stack([dataset[i]["inputs"]["frames"].mean((0, 2, 3)) for i in range(6)])
    assert torch.cdist(means[::2], means[1::2]).argmin(1).tolist() == [0, 1, 2]


def test_missing_files_of_a_patch_are_named(tmp_path: Path) -> None:
    """A band would be zero, or a traceback would name no file."""
    write_pair(tmp_path, ["Vineyards"])
    (tmp_path / "bigearthnet-test.csv").write_text(f"{S2},{S1}\n{S2[:-5]}_9_9,{S1[:-5]}_9_9\n")
    dataset = BigEarthNet(root=str(tmp_path), split="test", image_size=8)
    with pytest.raises(DataError, match="_9_9: there is no such patch; unpack the archive again"):
        dataset[1]
    folder = tmp_path / "BigEarthNet-v1.0" / S2
    (folder / f"{S2}_labels_metadata.json").unlink()
    with pytest.raises(DataError, match=r"labels_metadata\.json: .*; unpack the archive again"):
        dataset[0]
    for band in ("B05", "B12"):
        (folder / f"{S2}_{band}.tif").unlink()
    with pytest.raises(DataError, match=rf"band files are missing: {S2}_B05.tif, {S2}_B12.tif;"):
        dataset[0]


def test_the_command_finds_missing_files_and_writes_a_miniature(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing patch would be found after hours of training."""
    command = ["data", "bigearthnet", "--root", str(tmp_path), "--sensors", *BOTH]
    main([*command, "--miniature"])
    assert "SYNTHETIC set in the form of BigEarthNet" in capsys.readouterr().out
    assert BigEarthNet(root=str(tmp_path), split="val").metainfo.synthetic
    main([*command, "--version", "2"])
    assert "train: 6 patches\nval: 3 patches\ntest: 3 patches" in capsys.readouterr().out
    next(tmp_path.glob("BigEarthNet-S1-v1.0/*_10_3/*_VH.tif")).unlink()
    with pytest.raises(SystemExit):
        main([*command, "--version", "1"])
    assert "band files are missing: S1A_IW" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sensors": ("sentinel3",)}, "no sensor 'sentinel3'; did you mean"),
        ({"sensors": ()}, "name one or both of sentinel2, sentinel1"),
        (
            {"bands": {"sentinel1": ["VV"]}},
            r"bands names sentinel1, but sensors is \['sentinel2'\]",
        ),
        ({"version": 2}, "has no folder BigEarthNet-S2 with the patches of sentinel2; unpack"),
        ({"bands": {"sentinel2": ["B10"]}}, "sensor sentinel2_l2a: no band 'B10'"),
    ],
)
def test_arguments_that_do_not_fit_are_named(
    root: Path, arguments: dict[str, Any], message: str
) -> None:
    """The images of another sensor would be used."""
    with pytest.raises((ConfigError, DataError), match=message):
        BigEarthNet(root=str(root), split="train", **arguments)
