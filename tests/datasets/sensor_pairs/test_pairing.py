"""Rules that pair images, and the command that writes their list."""

import json
from pathlib import Path

import pytest

from openstl_ext.api import load_config
from openstl_ext.datasets.sensor_pairs.pair_list import PairSet
from openstl_ext.datasets.sensor_pairs.pairing import pair_bigearthnet, pair_fmow
from openstl_ext.errors import DataError
from openstl_ext.registry import DATASETS
from tests.commands.test_data import call

S2 = "S2A_MSIL2A_20170613T101031_0_45"
S1 = "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_0_45"


def fmow(root: Path) -> Path:
    """Write two locations of both sets, and one more of each."""
    rgb = {
        "airport_0": {0: "2015-01-01T10:00:00Z", 1: "2016-06-01T10:00:00Z"},
        "zoo_2": {0: "2014-01-01T00:00:00Z"},
        "zoo_3": {0: "2014-01-01T00:00:00Z"},
    }
    for place, images in rgb.items():
        folder = root / "fmow-rgb/train" / place.split("_")[0] / place
        folder.mkdir(parents=True)
        for number, moment in images.items():
            (folder / f"{place}_{number}_rgb.jpg").touch()
            (folder / f"{place}_{number}_msrgb.jpg").touch()
            (folder / f"{place}_{number}_rgb.json").write_text(json.dumps({"timestamp": moment}))
    rows = ["category,location_id,image_id,timestamp,polygon"]
    for place, number, moment in (
        *(("airport_0", 0, "2015-07-01T00:00:00Z"), ("airport_0", 1, "2016-06-03T00:00:00")),
        *(("airport_0", 2, "2016-06-01T11:00:00Z"), ("zoo_2", 9, "2019-01-01T00:00:00Z")),
        ("zoo_7", 0, "2019-01-01T00:00:00Z"),
    ):
        category, location = place.split("_")
        folder = root / "fmow-sentinel/train" / category / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{place}_{number}.tif").touch()
        rows.append(f"{category},{location},{number},{moment},x")
    (root / "fmow-sentinel/train.csv").write_text("\n".join(rows))
    return root


def test_a_location_has_one_pair_of_the_nearest_times(tmp_path: Path) -> None:
    """Both images would show the place in different seasons, or a place would count often."""
    pairs = pair_fmow(fmow(tmp_path), "fmow-rgb", "fmow-sentinel", "train")
    assert pairs == [
        (
            "fmow-rgb/train/airport/airport_0/airport_0_1_rgb.jpg",
            "fmow-sentinel/train/airport/airport_0/airport_0_2.tif",
        ),
        (
            "fmow-rgb/train/zoo/zoo_2/zoo_2_0_rgb.jpg",
            "fmow-sentinel/train/zoo/zoo_2/zoo_2_9.tif",
        ),
    ]
    (tmp_path / pairs[0][1]).unlink()
    assert pair_fmow(tmp_path, "fmow-rgb", "fmow-sentinel", "train")[0][1].endswith("_0_1.tif")


def big_earth_net(root: Path) -> Path:
    (root / "BigEarthNet-v1.0" / S2).mkdir(parents=True)
    for name, optical in ((S1, S2), (f"{S1}9", f"{S2}9")):
        folder = root / "BigEarthNet-S1-v1.0" / name
        folder.mkdir(parents=True)
        text = json.dumps({"labels": [], "corresponding_s2_patch": optical})
        (folder / f"{name}_labels_metadata.json").write_text(text)
    return root


def test_patches_are_paired_by_metadata_or_by_a_table(tmp_path: Path) -> None:
    """Names of both sensors have nothing in common that would pair them."""
    big_earth_net(tmp_path)
    expected = [(f"BigEarthNet-v1.0/{S2}", f"BigEarthNet-S1-v1.0/{S1}")]
    assert pair_bigearthnet(tmp_path, "BigEarthNet-v1.0", "BigEarthNet-S1-v1.0") == expected
    table = tmp_path / "bigearthnet-train.csv"
    table.write_text(f"{S2},{S1}\n{S2}1,{S1}1\n")
    assert pair_bigearthnet(tmp_path, "BigEarthNet-v1.0", "BigEarthNet-S1-v1.0", table) == expected
    table.write_text(f"{S2}\n")
    with pytest.raises(DataError, match=r"train.csv: line 1 has 1 columns, expected s2, s1"):
        pair_bigearthnet(tmp_path, "BigEarthNet-v1.0", "BigEarthNet-S1-v1.0", table)


def test_the_command_writes_a_list_that_the_dataset_reads(tmp_path: Path) -> None:
    """A user would have to write the list."""
    assert "2 pairs" in call("pair-sensors", "fmow", "--root", fmow(tmp_path))
    found = PairSet(name="fmow", sensors=("rgb", "sentinel2_l1c"), list_file="fmow_{split}.txt")
    assert found.read(tmp_path, "train")[1][1].endswith("zoo_2_9.tif")
    out = tmp_path / "pairs.txt"
    command = ("bigearthnet", "--root", big_earth_net(tmp_path), "--out", out)
    assert "1 pairs" in call("pair-sensors", *command)
    assert out.read_text() == f"BigEarthNet-v1.0/{S2}\tBigEarthNet-S1-v1.0/{S1}\n"


def test_the_recipe_reads_the_lists_that_the_commands_write(tmp_path: Path) -> None:
    """Who follows data/README.md would be told that there is no list."""
    call("pair-sensors", "fmow", "--root", fmow(tmp_path / "fmow"))
    call("pair-sensors", "bigearthnet", "--root", big_earth_net(tmp_path / "bigearthnet"))
    settings = load_config("sensor_pairs/smarties_vit_s").train_dataloader.dataset
    settings.root = str(tmp_path)
    assert len(DATASETS.build(settings)) == 3


def test_mistakes_in_the_published_files_are_named(tmp_path: Path) -> None:
    """A traceback would not name the file."""
    fmow(tmp_path)
    with pytest.raises(SystemExit, match=r"val.csv: No such file"):
        call("pair-sensors", "fmow", "--root", tmp_path, "--split", "val")
    table = tmp_path / "fmow-sentinel/train.csv"
    table.write_text(table.read_text().replace("2015-07-01T00:00:00Z", "July"))
    with pytest.raises(SystemExit, match=r"train.csv: line 2: timestamp 'July' is no ISO 8601"):
        call("pair-sensors", "fmow", "--root", tmp_path)
    table.write_text("category,image_id\n")
    with pytest.raises(SystemExit, match=r"has no column location_id, timestamp"):
        call("pair-sensors", "fmow", "--root", tmp_path)
