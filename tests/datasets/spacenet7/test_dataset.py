"""SpaceNet 7: rasterised buildings, unusable pixels, tiles and areas of splits."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("rasterio")

from openstl_ext.datasets.spacenet7 import SpaceNet7, prepare
from openstl_ext.datasets.spacenet7.files import write_splits
from openstl_ext.datasets.spacenet7.labels import rasterised
from openstl_ext.datasets.synthetic.class_maps import write_raster
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.region import Region
from openstl_ext.rasters.window import Window

AREA = "L15-0331E-1257N_1327_3160_13"
STEM = f"global_monthly_2018_01_mosaic_{AREA}"
DEGREE = 6378137.0 * np.pi / 180
"""Length of a degree of longitude in web mercator; of latitude nearly so at the equator."""
PLACE = {"crs": "EPSG:3857", "transform": rasterio().Affine(DEGREE, 0, 0, 0, -DEGREE, 5 * DEGREE)}
"""Pixels of one degree from the meridian of Greenwich and 5 degrees north on."""


def collection(*rings: list[list[float]]) -> bytes:
    """Return polygons of one ring each, in columns and rows of the image."""
    features = [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": [[[x, 5 - y] for x, y in ring]]},
        }
        for ring in rings
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def box(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]


def area(root: Path, buildings: bytes = b"", size: int = 5, **image: Any) -> Path:
    """Write one month of one area of the test, and return its folder."""
    folder = root / "train" / AREA
    values = np.full((4, size, size), 255, np.uint8)
    values[:3] = np.array([10, 20, 30])[:, None, None]
    write_raster(folder / f"images/{STEM}.tif", image.get("values", values), **PLACE)
    (folder / "labels").mkdir()
    (folder / f"labels/{STEM}_Buildings.geojson").write_bytes(buildings)
    (root / "splits").mkdir()
    (root / "splits/test.txt").write_text(f"{AREA}\n")
    return folder


def labels_of(root: Path, **settings: Any) -> list[list[int]]:
    """Return the labels of the first tile, -1 where they are not valid."""
    item = SpaceNet7(root=str(root), split="test", **{"tile_size": 5, **settings})[0]
    target = item["data_samples"]
    assert target["labels"].dtype == torch.int64
    return torch.where(target["valid"], target["labels"], -1).tolist()


def test_a_pixel_is_a_building_if_its_centre_is_in_one(tmp_path: Path) -> None:
    """Buildings would be wider by half a pixel, or lost where they cross the edge."""
    area(tmp_path, collection(box(-3, -2, 1.6, 1.4), box(2.6, 3.2, 3.4, 4.8)))
    assert labels_of(tmp_path) == [
        [1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    folder = tmp_path / "train" / AREA
    (folder / f"labels/{STEM}_Buildings.geojson").write_bytes(collection(box(2.4, 3.2, 9, 4.8)))
    assert labels_of(tmp_path)[3:] == [[0, 0, 1, 1, 1]] * 2


def test_rasterising_agrees_with_the_regions_of_maps(tmp_path: Path) -> None:
    """Label and map would disagree about the pixels of a polygon."""
    path, rng = tmp_path / "a.geojson", np.random.default_rng(0)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 12))
    radius = rng.uniform(0.5, 3.5, 12)
    ring = np.stack([2 + radius * np.cos(angles), 2 + radius * np.sin(angles)], axis=1).tolist()
    path.write_bytes(collection([*ring, ring[0]], box(2, 2, 4, 6)))
    pixel = DEGREE / 8
    grid = Grid(
        height=40,
        width=40,
        crs=rasterio().crs.CRS.from_epsg(3857).to_wkt(),
        transform=(pixel, 0, 0, 0, -pixel, 5 * DEGREE),
    )
    found = rasterised(path, grid)
    assert 0 < found.sum() < found.size
    assert (found == Region.read(path, grid).mask(Window(0, 0, 40, 40))).all()


def test_an_empty_label_means_no_building(tmp_path: Path) -> None:
    """A month without buildings would end the training."""
    folder = area(tmp_path)
    assert labels_of(tmp_path) == [[0] * 5] * 5
    (folder / f"labels/{STEM}_Buildings.geojson").write_bytes(collection())
    assert labels_of(tmp_path) == [[0] * 5] * 5


@pytest.mark.parametrize("form", ["polygons", "raster", "both"])
def test_unusable_pixels_are_not_valid(form: str, tmp_path: Path) -> None:
    """Pixels under clouds would be scored as background."""
    folder = area(tmp_path, collection(box(0, 0, 3, 1)))
    if form != "raster":
        (folder / f"labels/{STEM}_UDM.geojson").write_bytes(collection(box(2, 0, 5, 5)))
    if form != "polygons":
        mask = np.zeros((1, 5, 5), np.uint8)
        mask[..., 2:] = 255
        write_raster(folder / f"UDM_masks/{STEM}_UDM.tif", mask, **PLACE)
    assert labels_of(tmp_path) == [[1, 1, -1, -1, -1], *[[0, 0, -1, -1, -1]] * 4]


def test_values_are_those_of_the_bands_and_alpha_hides_pixels(tmp_path: Path) -> None:
    """Blue would be embedded as red, and the frame around an image trained as background."""
    values = np.full((4, 5, 5), 255, np.uint8)
    values[:3] = np.array([10, 20, 30])[:, None, None]
    values[3, 0] = 0
    area(tmp_path, values=values)
    dataset = SpaceNet7(root=str(tmp_path), split="test", bands=["blue", "red"], tile_size=5)
    item = dataset[0]
    assert item["inputs"]["bands"].tolist() == [[2, 5]]
    expected = [(30 - 78.372) / 40.452, (10 - 121.826) / 56.717]
    np.testing.assert_allclose(item["inputs"]["frames"][0, :, 4, 4], expected, rtol=1e-4)
    assert (item["inputs"]["frames"][0, :, 0] == 0).all()
    assert item["data_samples"]["valid"].all(dim=1).tolist() == [False, True, True, True, True]


def test_tiles_cover_the_image_and_are_filled_at_its_edge(tmp_path: Path) -> None:
    """Images of 1023 pixels would lose their last tiles."""
    area(tmp_path, collection(box(3, 3, 9, 9)))
    dataset = SpaceNet7(root=str(tmp_path), split="test", tile_size=3, image_size=6)
    assert [dataset.sample_id(i) for i in range(len(dataset))] == [
        f"{AREA}_2018_01_{row}_{column}" for row in (0, 3) for column in (0, 3)
    ]
    item = dataset[3]
    assert item["inputs"]["frames"].shape == (1, 3, 6, 6)
    target = item["data_samples"]
    assert torch.where(target["valid"], target["labels"], -1).tolist() == [
        [1, 1, -1],
        [1, 1, -1],
        [-1, -1, -1],
    ]


def test_areas_are_divided_by_the_order_of_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Months of one area would be in training and test."""
    for number in range(11):
        (tmp_path / f"train/train/L15-{number:02d}/labels").mkdir(parents=True)
    options = type("Options", (), {"root": tmp_path})
    prepare.run(options)  # type: ignore[arg-type]
    assert "train.txt: 7 areas" in capsys.readouterr().out
    found = {
        s: (tmp_path / f"splits/{s}.txt").read_text().split() for s in ("train", "val", "test")
    }
    assert found["val"] == ["L15-02", "L15-07"]
    assert found["test"] == ["L15-04", "L15-09"]
    assert sorted(name for part in found.values() for name in part) == [
        f"L15-{number:02d}" for number in range(11)
    ]


def test_a_net_can_learn_from_the_toy_set(tmp_path: Path) -> None:
    """Tests with the toy set would prove nothing, and a worker would rasterise others' labels."""
    SpaceNet7.make_toy(tmp_path)
    dataset = SpaceNet7(root=str(tmp_path), split="train", tile_size=32, augment="flips")
    _ = dataset[0]
    copy = pickle.loads(pickle.dumps(dataset))
    means: dict[int, list[float]] = {0: [], 1: []}
    for index in range(len(copy)):
        item = copy[index]
        target, red = item["data_samples"], item["inputs"]["frames"][0, 0]
        for label, values in means.items():
            values += red[target["valid"] & (target["labels"] == label)].tolist()
    assert np.mean(means[1]) > np.mean(means[0]) + 1
    assert dataset.metainfo.synthetic


def test_mistakes_are_named(tmp_path: Path) -> None:
    """A traceback would not name the file and the remedy."""
    with pytest.raises(DatasetNotFoundError, match=r"tar -xzf SN7_buildings_train\.tar\.gz"):
        SpaceNet7(root=str(tmp_path), split="test")
    folder = area(tmp_path, b"[")
    with pytest.raises(DatasetNotFoundError, match="openstl-ext data spacenet7 --root"):
        SpaceNet7(root=str(tmp_path), split="train")
    with pytest.raises(DataError, match="1 areas with labels, but train, val and test need"):
        write_splits(tmp_path)
    with pytest.raises(ConfigError, match="remove it from the test dataset"):
        SpaceNet7(root=str(tmp_path), split="test", augment="flips")
    with pytest.raises(DataError, match=r"_Buildings\.geojson: "):
        _ = SpaceNet7(root=str(tmp_path), split="test")[0]
    write_raster(folder / f"images/{STEM}.tif", np.zeros((3, 5, 5), np.uint8), **PLACE)
    with pytest.raises(DataError, match=r"has 3 bands, but .* has 3: .* and 1 other"):
        _ = SpaceNet7(root=str(tmp_path), split="test")[0]
    (folder / f"labels/{STEM}_Buildings.geojson").unlink()
    with pytest.raises(DataError, match=r"_Buildings\.geojson: there is no such label"):
        SpaceNet7(root=str(tmp_path), split="test")
    (tmp_path / "splits/test.txt").write_text("L15-9999\n")
    with pytest.raises(DataError, match=r"test\.txt: 'L15-9999' is no area with labels"):
        SpaceNet7(root=str(tmp_path), split="test")
