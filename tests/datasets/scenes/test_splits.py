"""Split lists of scene sets: the published forms, the rules that write them, and mistakes."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openstl_ext.cli import main
from openstl_ext.datasets.scenes import WHURS19, EuroSAT, UCMerced
from openstl_ext.datasets.scenes.files import Scene
from openstl_ext.datasets.scenes.split_rules import stratified, write_lists
from openstl_ext.errors import ConfigError, DataError
from tests.small_recipe import toy_set


def whu(root: Path, number: int = 10, classes: tuple[str, ...] = ("Airport", "River")) -> Path:
    """Write pictures of WHU-RS19 in the published layout."""
    for name in classes:
        folder = root / name
        folder.mkdir(parents=True)
        for k in range(1, number + 1):
            picture = Image.fromarray(np.full((8, 8, 3), 10 * k, np.uint8))
            picture.save(folder / f"{name.lower()}_{k:02d}.jpg")
    return root


def bare(root: Path) -> Path:
    """Copy the images of EuroSAT without lists."""
    shutil.copytree(toy_set("EuroSAT") / "EuroSAT_MS", root / "EuroSAT_MS")
    return root


def ids(dataset: EuroSAT | UCMerced | WHURS19) -> list[str]:
    return [dataset.sample_id(i) for i in range(len(dataset))]


def test_both_published_folders_and_the_bare_one_give_the_same_samples(tmp_path: Path) -> None:
    """The archive of torchgeo or that of Zenodo could not be read."""
    toy = toy_set("EuroSAT")
    expected = ids(EuroSAT(root=str(toy), split="val"))
    deep = "ds/images/remote_sensing/otherDatasets/sentinel_2/tif"
    for number, place in enumerate((deep, ".")):
        root = tmp_path / str(number)
        shutil.copytree(toy / "EuroSAT_MS", root / place)
        shutil.copy(toy / "eurosat-val.txt", root)
        found = EuroSAT(root=str(root), split="val", image_size=None)
        assert ids(found) == expected
        assert found[0]["inputs"]["frames"].shape == (1, 12, 16, 16)


def test_lists_of_the_rgb_version_and_of_smarties_are_read(tmp_path: Path) -> None:
    """Lines with another ending or with the folder of the class would be missing."""
    shutil.copytree(toy_set("EuroSAT") / "EuroSAT_MS", tmp_path / "EuroSAT_MS")
    (tmp_path / "eurosat-train.txt").write_text("Forest_2.jpg\r\nAnnualCrop_1.jpg\r\n")
    folder = tmp_path / "eval_splits"
    folder.mkdir()
    (folder / "EuroSAT-train.txt").write_text("./Forest/Forest_1.tif\n./Forest/Forest_3.tif")
    (tmp_path / "eurosat-spatial-val.txt").write_text("HerbaceousVegetation_1.tif\n")
    (folder / "EuroSAT-val.txt").write_text("./AnnualCrop/AnnualCrop_4.tif\n")
    root = str(tmp_path)
    assert ids(EuroSAT(root=root, split="train")) == ["Forest_2", "AnnualCrop_1"]
    spatial = EuroSAT(root=root, split="val", split_lists="spatial")
    assert (ids(spatial), spatial.metainfo.name) == (["HerbaceousVegetation_1"], "eurosat_spatial")
    train = EuroSAT(root=root, split="train", split_lists="smarties")
    test = EuroSAT(root=root, split="test", split_lists="smarties")
    assert ids(train) == ["Forest_1", "Forest_3"]
    assert ids(test) == ["AnnualCrop_4"]
    assert train.metainfo.name == "eurosat_smarties"
    with pytest.raises(ConfigError, match="two parts, train and test, so there is no val; to val"):
        EuroSAT(root=root, split="val", split_lists="smarties")


def test_the_stratified_rule_gives_each_class_to_all_splits(tmp_path: Path) -> None:
    """A class would be missing in a split, or an image be in two."""
    write_lists(whu(tmp_path), WHURS19.facts, "stratified")
    splits = {s: WHURS19(root=str(tmp_path), split=s) for s in ("train", "val", "test")}
    for name, share in (("train", 6), ("val", 2), ("test", 2)):
        labels = Counter(scene.label for scene in splits[name].scenes)
        assert labels == {0: share, 15: share}
    assert len({i for dataset in splits.values() for i in ids(dataset)}) == 20
    assert splits["train"].metainfo.name == "whu_rs19"


def test_the_stratified_rule_depends_on_names_and_seed_only() -> None:
    """Lists written on two machines would differ."""
    scenes = [Scene(Path(f"A/a_{k}.jpg"), 0, f"a_{k}") for k in range(40)]
    parts = stratified(scenes, seed=3)
    assert parts == stratified(scenes[::-1], seed=3) != stratified(scenes, seed=4)
    assert [len(part) for part in parts] == [24, 8, 8]
    assert [s.id for s in stratified(scenes[:3])[2]] == ["a_1"]  # sha256("0/a_1") is smallest


def test_the_rule_of_longitude_orders_the_splits_from_west_to_east() -> None:
    """Neighbouring images would be in training and test."""
    import rasterio

    root = str(toy_set("EuroSAT"))
    wests = {}
    for split in ("train", "val", "test"):
        dataset = EuroSAT(root=root, split=split, split_lists="longitude")
        wests[split] = []
        for scene in dataset.scenes:
            with rasterio.open(scene.path) as raster:
                wests[split].append(raster.bounds.left)
    assert [len(values) for values in wests.values()] == [11, 3, 4]  # 60, 20 and 20 % of 18
    assert max(wests["train"]) < min(wests["val"]) <= max(wests["val"]) < min(wests["test"])


def test_the_command_writes_lists_and_a_miniature(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lists of a set could be made in Python only."""
    main(["data", "scenes", "whu_rs19", "--root", str(whu(tmp_path / "a"))])
    printed = capsys.readouterr().out
    assert "whu_rs19-stratified-train.txt: 12 images" in printed
    assert "17 of 19 classes have no images: Beach, Bridge, " in printed
    assert len(WHURS19(root=str(tmp_path / "a"), split="test")) == 4
    main(["data", "scenes", "resisc45", "--miniature", "--root", str(tmp_path / "b")])
    assert "SYNTHETIC set in the form of RESISC45" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["data", "scenes", "whu_rs19", "--root", str(tmp_path / "a"), "--rule", "longitude"])
    assert "WHU-RS19 has no rule 'longitude'; known are: stratified" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "whu_rs19-stratified-train.txt: the list is empty"),
        ("Airport/airport_77.jpg", r"'Airport/airport_77.jpg': .* has no such file \*.jpg"),
        ("Airprt/airport_01.jpg", "is in no class of WHU-RS19; did you mean 'Airport'"),
        ("Airport/airport_01.jpg\nairport_01.jpg", "names airport_01 twice; remove one"),
        ("River/river_01.jpg", "val.txt share 1 images, such as river_01; remove them from one"),
    ],
)
def test_a_mistake_in_a_list_is_named(tmp_path: Path, lines: str, message: str) -> None:
    """An image would be left out, or trained on and tested."""
    whu(tmp_path)
    (tmp_path / "whu_rs19-stratified-train.txt").write_text(lines)
    (tmp_path / "whu_rs19-stratified-val.txt").write_text("River/river_01.jpg\n")
    with pytest.raises(DataError, match=message):
        WHURS19(root=str(tmp_path), split="train")


def test_missing_images_and_lists_are_named_with_their_source(tmp_path: Path) -> None:
    """The user would not know what to fetch."""
    with pytest.raises(DataError, match=r"no images of EuroSAT, such as EuroSAT_MS/AnnualCrop"):
        EuroSAT(root=str(tmp_path / "nowhere"), split="train")
    with pytest.raises(DataError, match=r"eurosat-spatial-val.txt: there is no .*'longitude'"):
        EuroSAT(root=str(bare(tmp_path / "eurosat")), split="val", split_lists="spatial")
    whu(tmp_path)
    command = f"openstl-ext data scenes whu_rs19 --root {tmp_path} --rule stratified"
    with pytest.raises(DataError, match=rf"there is no such split list; write it with `{command}"):
        WHURS19(root=str(tmp_path), split="train")
    with pytest.raises(DataError, match="copy eval_splits/ of SMARTIES' repository there"):
        WHURS19(root=str(tmp_path), split="train", split_lists="smarties")
    with pytest.raises(ConfigError, match="no split_lists 'smartis'; did you mean 'smarties'"):
        WHURS19(root=str(tmp_path), split="train", split_lists="smartis")


def test_the_rules_refuse_a_folder_that_is_no_class_and_a_class_of_two_images(
    tmp_path: Path,
) -> None:
    """Images would silently be left out of all splits."""
    whu(tmp_path, number=2)
    with pytest.raises(DataError, match="Airport: 2 images, but three splits need at least one"):
        write_lists(tmp_path, WHURS19.facts, "stratified")
    (tmp_path / "Rivers").mkdir()
    with pytest.raises(DataError, match="'Rivers' is no class of WHU-RS19; did you mean 'River'"):
        write_lists(tmp_path, WHURS19.facts, "stratified")
