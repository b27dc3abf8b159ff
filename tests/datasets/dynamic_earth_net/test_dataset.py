"""DynamicEarthNet: published lists, dates, channels of labels and series."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("rasterio")

from openstl_ext.datasets.dynamic_earth_net import DynamicEarthNet
from openstl_ext.datasets.dynamic_earth_net.files import LISTS
from openstl_ext.datasets.synthetic.class_maps import write_raster
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.spectrum import PUBLISHED

NAME = "10N-122W-40N-L3H-SR"
LINE = (
    "/reprocess-cropped/UTM-24000/10N/23E-188N/1311_3077_13/PF-SR "
    f"/labels/1311_3077_13_10N/Labels/Raster/{NAME}/{NAME}-2018_01_01.tif 2018-01\n"
)
BANDS = np.array([500, 900, 1000, 2600], np.uint16)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("toy")
    DynamicEarthNet.make_toy(root)
    return root


def one_hot(classes: list[list[int]]) -> np.ndarray:
    """Return channels of 0 and 255; none is marked for -1."""
    marked = np.array(classes) == np.arange(7)[:, None, None]
    return np.where(marked, 255, 0).astype(np.uint8)


def sample(
    root: Path,
    classes: np.ndarray,
    *,
    date: str = "2018_01_01",
    folder: str = "labels",
    **image: Any,
) -> Path:
    """Write one month of the test; a pixel of day d is larger by d."""
    (root / LISTS).mkdir(parents=True, exist_ok=True)
    (root / LISTS / "test.txt").write_text(LINE)
    label = root / folder / f"1311_3077_13_10N/Labels/Raster/{NAME}/{NAME}-{date}.tif"
    write_raster(label, classes, **image)
    for day in (1, 5, 10, 15, 20, 25):
        values = np.ones((4, *classes.shape[1:]), np.uint16) * BANDS[:, None, None] + day
        path = f"planet/10N/23E-188N/1311_3077_13/PF-SR/2018-01-{day:02d}.tif"
        write_raster(root / path, values.astype(np.uint16))
    return root


def labels_of(root: Path, **settings: Any) -> list[list[int]]:
    target = DynamicEarthNet(root=str(root), split="test", **settings)[0]["data_samples"]
    assert target["labels"].dtype == torch.int64
    return torch.where(target["valid"], target["labels"], -1).tolist()


def test_a_series_has_the_days_in_order_and_the_bands_by_name(tmp_path: Path) -> None:
    """The file begins with blue: it would be embedded as red."""
    root = str(sample(tmp_path, one_hot([[0, 1], [2, 3]])))
    dataset = DynamicEarthNet(root=root, split="test", bands=["nir", "red", "blue"])
    item = dataset[0]
    assert item["inputs"]["bands"].tolist() == [[11, 6, 1]] * 6
    assert dataset.metainfo.labels == ("nir", "red", "blue")
    days = np.array([1, 5, 10, 15, 20, 25])
    values = (BANDS[[3, 2, 0]] + days[:, None]).astype(float)
    expected = (values - [2605.21, 1042.59, 671.26]) / [1059.90, 957.96, 596.94]
    np.testing.assert_allclose(item["inputs"]["frames"][:, :, 0, 1], expected, rtol=1e-3, atol=1e-5)
    single = DynamicEarthNet(root=root, split="test", days="single")
    assert single[0]["inputs"]["frames"].shape == (1, 4, 2, 2)
    assert dataset.sample_id(0) == "1311_3077_13_10N_2018-01"


@pytest.mark.parametrize("date", ["2018_01_01", "2018-01-01"])
@pytest.mark.parametrize("folder", ["labels", "dynamicearthnet_test_labels", "."])
def test_labels_are_found_by_area_and_date(date: str, folder: str, tmp_path: Path) -> None:
    """A third of the labels would be missing, whose names have another form of the date."""
    root = sample(tmp_path, one_hot([[4, 5]]), date=date, folder=folder)
    assert labels_of(root) == [[4, 5]]


def test_snow_and_pixels_without_one_class_are_not_valid(tmp_path: Path) -> None:
    """Unlabelled pixels would be trained as impervious surface."""
    channels = one_hot([[0, 5, 6], [-1, 2, 3]])
    channels[4, 1, 2] = 255
    root = sample(tmp_path, channels, nodata=0)
    assert labels_of(root) == [[0, 5, -1], [-1, 2, -1]]
    assert labels_of(root, num_classes=7) == [[0, 5, 6], [-1, 2, -1]]
    six, seven = (
        DynamicEarthNet(root=str(root), split="test", num_classes=n).metainfo.classes
        for n in (6, 7)
    )
    assert (*six, "snow_and_ice") == seven


def test_training_draws_one_window_for_all_days_and_the_label(toy: Path) -> None:
    """The days of a series would show different places."""
    dataset = DynamicEarthNet(root=str(toy), split="train", crop_size=16, augment="flips")
    assert len(dataset) == 2
    torch.manual_seed(0)
    windows = set()
    for _ in range(5):
        item = dataset[1]
        frames, labels = item["inputs"]["frames"], item["data_samples"]["labels"]
        assert frames.shape == (6, 4, 16, 16)
        assert labels.shape == (16, 16)
        for label in labels.unique():
            here = item["data_samples"]["valid"] & (labels == label)
            if here.sum() < 20:
                continue
            values = frames[..., here]
            assert values.std(dim=-1).max() < 0.5  # noise only: one class has one level
            assert (values.mean(dim=-1).std(dim=0) < 0.2).all()
        windows.add(tuple(labels.flatten().tolist()))
    assert len(windows) > 1
    whole = DynamicEarthNet(root=str(toy), split="val", image_size=48)[0]
    assert whole["inputs"]["frames"].shape == (6, 4, 48, 48)
    assert whole["data_samples"]["labels"].shape == (32, 32)


def test_another_projection_of_the_bands_is_one_file(tmp_path: Path) -> None:
    """A native width of the bands could not be compared with the harmonised one."""
    root = sample(tmp_path, one_hot([[0, 1]]))
    table = PUBLISHED.with_name("planet_fusion.json").read_text(encoding="utf-8")
    for old, new in (("blue_1", "blue_3"), ("green_2", "green_1"), ("red_2", "red_1")):
        table = table.replace(old, new)
    (tmp_path / "native.json").write_text(table, encoding="utf-8")
    settings = {"days": "single", "sensor": str(tmp_path / "native.json")}
    item = DynamicEarthNet(root=str(root), split="test", **settings)[0]  # type: ignore[arg-type]
    assert item["inputs"]["bands"].tolist() == [[2, 3, 5, 11]]


def test_mistakes_are_named(tmp_path: Path, toy: Path) -> None:
    """A traceback would not name the file and the remedy."""
    with pytest.raises(DataError, match=r"test\.txt: there is no such list; fetch dynnet_training"):
        DynamicEarthNet(root=str(tmp_path), split="test")
    with pytest.raises(ConfigError, match=r"crop_size is 224, but .* has 32 x 32 pixels"):
        _ = DynamicEarthNet(root=str(toy), split="train")[0]
    root = sample(tmp_path, one_hot([[0, 1]]))
    lists = root / LISTS / "test.txt"
    images = root / "planet/10N/23E-188N/1311_3077_13/PF-SR"
    (images / "2018-01-10.tif").unlink()
    with pytest.raises(DataError, match=r"2018-01-10\.tif: there is no such image of"):
        _ = DynamicEarthNet(root=str(root), split="test")[0]
    for text, message in (
        (LINE.replace(" 2018-01\n", " 2018-02"), r"test\.txt:1: 1311_3077_13_10N has no label of"),
        (LINE.replace("1311_3077_13/PF", "1312_3077_13/PF"), r"no folder .*1312.*planet\.10N\.zip"),
        (LINE.replace("1311_3077_13_10N", "1311_9999_13_10N"), "no folder 1311_9999_13_10N/Labels"),
        ("2018-01", "is '2018-01', expected the folder of images, the label and YYYY-MM"),
        ("", "names no month"),
    ):
        lists.write_text(text)
        with pytest.raises(DataError, match=message):
            DynamicEarthNet(root=str(root), split="test")


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (np.zeros((1, 2, 2), np.uint8), "has 1 channels, expected 7 of 0 and 255"),
        (np.ones((7, 2, 2), np.uint8), "has the value 1, expected 0 or 255"),
    ],
)
def test_labels_of_another_form_are_refused(
    channels: np.ndarray, message: str, tmp_path: Path
) -> None:
    """A re-packaged label would be read as a map of one class."""
    root = sample(tmp_path, channels)
    with pytest.raises(DataError, match=message):
        _ = DynamicEarthNet(root=str(root), split="test")[0]
