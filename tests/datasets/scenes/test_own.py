"""Scenes of a user: names of classes and files, and images of three bands."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rasterio")

from openstl_ext.datasets.scenes.files import unique_name
from openstl_ext.datasets.scenes.own import Scenes
from openstl_ext.datasets.synthetic.class_maps import write_raster
from openstl_ext.errors import DataError
from tests.rasters.files import write_tif

BANDS = [("near_infrared_2", 4000), ("red_2", 2000), ("green_2", 1000)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classes of one image each, of three bands of 16 bits."""
    table = [
        {"name": name, "band": name, "low": 0, "high": high, "mean": 0.5, "std": 0.25}
        for name, high in BANDS
    ]
    (tmp_path / "false_colour.json").write_text(json.dumps({"about": "", "bands": table}))
    for name in ("lake", "wood"):
        (tmp_path / "set" / name).mkdir(parents=True)
        values = np.full((3, 8, 8), 1000, np.uint16)
        values[:, 0, 0] = 0
        write_tif(tmp_path / "set" / name / "0.tif", values, nodata=0)
    (tmp_path / "set" / "train.txt").write_text("lake/0.tif\nwood/0.tif\n")
    return tmp_path / "set"


def scenes(root: Path, split: str = "train", classes: list[str] | None = None) -> Scenes:
    sensor = str(root.parent / "false_colour.json")
    return Scenes(root=str(root), split=split, sensor=sensor, image_size=None, classes=classes)


def test_a_raster_of_three_bands_is_no_picture(root: Path) -> None:
    """Values of 16 bits would be clipped to 255, and missing pixels would be black."""
    frames = scenes(root)[1]["inputs"]["frames"][0]
    assert frames[:, 4, 4].tolist() == pytest.approx([(s - 0.5) / 0.25 for s in (0.25, 0.5, 1)])
    assert frames[:, 0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_an_upper_case_suffix_is_read(root: Path, dtype: str) -> None:
    """A float raster, or one from Windows, would be refused or read as a picture."""
    values = np.arange(3 * 4 * 4).reshape(3, 4, 4).astype(dtype) * 20
    kind = {"photometric": "RGB", "interleave": "pixel"} if dtype == "uint16" else {}
    for name in ("lake", "wood"):
        write_raster(root / name / "1.TIF", values, nodata=0, **kind)
    (root / "val.txt").write_text("lake/1.TIF\nwood/1.TIF\n")
    found = Scenes(
        root=str(root),
        split="val",
        sensor=str(root.parent / "false_colour.json"),
        suffix=".TIF",
        image_size=None,
    )
    high = np.array([4000, 2000, 1000]).reshape(3, 1, 1)
    expected = np.where(values > 0, (values / high - 0.5) / 0.25, 0)  # the nodata value is 0
    np.testing.assert_allclose(found[1]["inputs"]["frames"][0], expected, rtol=1e-5)


def test_names_are_unique_although_classes_and_files_begin_alike() -> None:
    """An image would be refused as one that is in two lists."""
    assert unique_name("1", "12") == "1_12" != unique_name("12", "12")
    assert unique_name("a", "ab_1") == "a_ab_1" != unique_name("ab", "ab_1")
    kept = {"River": "River_7", "agricultural": "agricultural07", "Airport": "airport_31", "a": "a"}
    assert all(unique_name(name, stem) == stem for name, stem in kept.items())


def test_a_missing_list_or_class_is_named(root: Path) -> None:
    """The remedy would be a command for published sets."""
    with pytest.raises(DataError, match=r"val.txt: there is no such split list; write it, with"):
        scenes(root, "val")
    message = r"the class 'woood' is no folder with files \*.tif; did you mean 'wood'"
    with pytest.raises(DataError, match=message):
        scenes(root, classes=["lake", "woood"])
