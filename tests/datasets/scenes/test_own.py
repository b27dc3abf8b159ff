"""Scenes of a user: names of classes and files, and images of three bands."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rasterio")

from openstl_ext.datasets.scenes.files import unique_name
from openstl_ext.datasets.scenes.own import Scenes
from openstl_ext.datasets.synthetic.class_maps import write_raster

BANDS = (("red", "red_2"), ("green", "green_2"), ("blue", "blue_1"))


def table(path: Path) -> str:
    """Write the table of a product of three bands, reflectance times 10,000."""
    limits = {"low": 0, "high": 4000, "mean": 0, "std": 1}
    bands = [{"name": name, "band": band, **limits} for name, band in BANDS]
    path.write_text(json.dumps({"about": "three bands of 16 bits", "bands": bands}))
    return str(path)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_raster_of_three_bands_keeps_its_values(tmp_path: Path, dtype: str) -> None:
    """Read as a picture, 3000 would be 3000 // 256, and all images nearly black."""
    values = np.arange(3 * 4 * 4).reshape(3, 4, 4) * 80
    kind = {"photometric": "RGB", "interleave": "pixel"} if dtype == "uint16" else {}
    for name in ("a/1.TIF", "b/1.TIF"):
        write_raster(tmp_path / "set" / name, values.astype(dtype), nodata=0, **kind)
    (tmp_path / "set/train.txt").write_text("a/1.TIF\nb/1.TIF\n")
    dataset = Scenes(
        root=str(tmp_path / "set"),
        split="train",
        sensor=table(tmp_path / "own.json"),
        suffix=".TIF",
        image_size=None,
    )
    assert dataset.metainfo.classes == ("a", "b")
    np.testing.assert_allclose(dataset[1]["inputs"]["frames"][0], values / 4000, rtol=1e-6)


def test_names_are_unique_although_classes_and_files_begin_alike() -> None:
    """An image would be refused as one that is in two lists."""
    assert unique_name("1", "12") == "1_12" != unique_name("12", "12")
    assert unique_name("a", "ab_1") == "a_ab_1" != unique_name("ab", "ab_1")
    kept = {"River": "River_7", "agricultural": "agricultural07", "Airport": "airport_31", "a": "a"}
    assert all(unique_name(name, stem) == stem for name, stem in kept.items())
