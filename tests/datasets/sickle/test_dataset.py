"""SICKLE: plots of splits, dates of a season, missing values and bands."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("rasterio")

from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.sickle import SICKLE
from openstl_ext.datasets.sickle.table import COLUMNS, FILE
from openstl_ext.datasets.synthetic.class_maps import write_raster
from openstl_ext.errors import ConfigError, DataError

ROWS = ("7,100,jan-jun,2018,train", "8,200,jan-jun,2018,train", "9,300,jan-jun,2018,val")
S2 = tuple(f"B{k}" for k in (*range(1, 9), "8A", 9, 11, 12))
L8 = (*(f"SR_B{k}" for k in range(1, 8)), "ST_B10")
TINY: dict[str, Any] = {"num_dates": 1, "image_size": 2}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("toy")
    SICKLE.make_toy(root)
    return root


def table(root: Path, *rows: str) -> Path:
    (root / FILE).write_text("\n".join([",".join(COLUMNS), *(rows or ROWS)]))
    return root


def mask(root: Path, chip: str, plots: list[list[int]], crops: list[list[int]]) -> None:
    layers = np.zeros((6, *np.shape(plots)), np.float32)
    layers[0], layers[1] = plots, crops
    write_raster(root / f"masks/10m/{chip}.tif", layers, crs="")


def scene(root: Path, sensor: str, name: str, chip: str = "9", **bands: Any) -> Path:
    """Write an image of 2 x 2 pixels; a band is constant if a number is given."""
    folder = root / f"images/{sensor}/npy/{chip}"
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {key: np.full((2, 2), value) for key, value in bands.items()}
    np.savez(folder / f"{name}.npz", **arrays)  # type: ignore[arg-type]
    return folder / f"{name}.npz"


def one_chip(root: Path, sensor: str, scenes: dict[str, Any]) -> Path:
    """Write the chip of the test, with these images; a number is that of all bands."""
    table(root)
    mask(root, "9", [[300, 300], [300, 300]], [[1, 2], [0, 21]])
    names = {"S2": S2, "L8": L8, "S1": ("VV", "VH")}[sensor]
    for name, value in scenes.items():
        scene(root, sensor, name, **(dict.fromkeys(names, value)))
    return root


def split_ids(root: Path, **settings: Any) -> dict[str, list[str]]:
    return {
        split: [dataset.sample_id(i) for i in range(len(dataset))]
        for split in ("train", "val", "test")
        for dataset in [SICKLE(root=str(root), split=split, **settings)]
    }


def test_pixels_of_plots_of_another_split_are_not_valid(tmp_path: Path) -> None:
    """Plots of the test would be trained on, because a chip shows several plots."""
    table(tmp_path)
    plots, crops = [[100, 300], [200, 0]], [[1, 1], [5, 1]]
    for chip in "789":
        mask(tmp_path, chip, plots, crops)
        scene(tmp_path, "S2", "20180301T0_0_T44PLT", chip, **dict.fromkeys(S2, 1000))
    found = {}
    for split in ("train", "val", "test"):
        dataset = SICKLE(root=str(tmp_path), split=split, val_fraction=0.5, **TINY)
        target = dataset[0]["data_samples"]
        assert target["labels"].dtype == torch.int64
        found[dataset.sample_id(0)] = torch.where(target["valid"], target["labels"], -1).tolist()
    assert found == {
        "7_train": [[0, -1], [-1, -1]],
        "8_val": [[-1, -1], [1, -1]],
        "9_test": [[-1, 0], [-1, -1]],
    }


def test_a_plot_of_two_published_splits_is_in_the_test_only(tmp_path: Path) -> None:
    """Training would see the plot in another season."""
    rows = (*ROWS, "10,300,jul-dec,2019,train", "11,400,jan-jun,2018,test")
    table(tmp_path, *rows)
    for chip in ("7", "8", "9", "10", "11"):
        mask(tmp_path, chip, [[1]], [[1]])
        scene(tmp_path, "S2", "20180301T0_0_T44PLT", chip, B1=1)
    ids = split_ids(tmp_path, val_fraction=0.5)
    assert ids == {"train": ["7_train"], "val": ["8_val"], "test": ["9_test"]}


def test_the_seasons_of_a_plot_are_one_block(tmp_path: Path) -> None:
    """They would count as independent, and an interval would be too narrow."""
    table(tmp_path, *ROWS, "10,300,jul-dec,2019,val", "11,400,jan-jun,2019,val")
    for chip in ("9", "10", "11"):
        mask(tmp_path, chip, [[1]], [[1]])
        scene(tmp_path, "S2", "20180301T0_0_T44PLT", chip, B1=1)
    dataset = SICKLE(root=str(tmp_path), split="test")
    blocks = {dataset.sample_id(i): dataset.block_id(i) for i in range(len(dataset))}
    assert blocks == {"9_test": "plot_300", "10_test": "plot_300", "11_test": "plot_400"}


def test_crops_are_two_classes(tmp_path: Path) -> None:
    """Paddy would be a pixel without a label."""
    root = one_chip(tmp_path, "S2", {"20180301T0_0_T44PLT": 1000})
    target = SICKLE(root=str(root), split="test", **TINY)[0]["data_samples"]
    assert target["labels"].tolist() == [[0, 1], [0, 1]]
    assert target["valid"].tolist() == [[True, True], [False, True]]


def test_dates_are_spread_over_the_season(tmp_path: Path) -> None:
    """Samples of a batch would have different lengths, or images of another season."""
    days = {"20171231": 100, "20180101": 200, "20180401": 300, "20180402": 400, "20180703": 500}
    names = {f"{day}T05_0_T44PLT": value for day, value in days.items()}
    names |= {"20180704T05_0_T44PLT": 600, "T44PLT_20180101T06": 700}  # too late; a second one
    root = one_chip(tmp_path, "S2", names)
    band = Sensor.read("sentinel2_l2a").select(["B03"]).bands[0]

    def values(num_dates: int) -> list[int]:
        settings = {"bands": {"S2": ["B03"]}, "num_dates": num_dates, "image_size": 2}
        frames = SICKLE(root=str(root), split="test", **settings)[0]["inputs"]["frames"]
        assert frames.shape == (num_dates, 1, 2, 2)
        scaled = frames[:, 0, 0, 0] * band.std + band.mean
        return [round(v) for v in (scaled * (band.high - band.low) + band.low).tolist()]

    assert values(1) == [400]  # day 92 of 184; 1 April is day 90
    assert values(3) == [200, 400, 500]  # days 31, 92 and 153
    assert values(4) == [200, 300, 400, 500]


def test_images_with_gaps_are_not_used(tmp_path: Path) -> None:
    """A swath edge would take the place of an image of the whole chip."""
    root = one_chip(tmp_path, "S1", {"S1A_IW_GRDH_1SDV_20180401T0": -12.0})
    gap = np.array([[0.0, -9.0], [-9.0, -9.0]])
    scene(root, "S1", "S1A_IW_GRDH_1SDV_20180402T0", VV=gap, VH=-20.0)
    item = SICKLE(root=str(root), split="test", sensors=["S1"], **TINY)[0]
    expected = (-12 + 29.5197) / (29.5197 - 3.4569)
    assert item["inputs"]["frames"][0, 0, 0, 0].item() == pytest.approx(
        (expected - 0.649346) / 0.190305, rel=1e-4
    )
    scene(root, "S1", "S1A_IW_GRDH_1SDV_20180401T0", VV=gap, VH=-20.0)
    item = SICKLE(root=str(root), split="test", sensors=["S1"], **TINY)[0]
    assert (item["inputs"]["frames"] == 0).all()
    assert item["inputs"]["bands"].tolist() == [[15, 16]]
    # the next tile of the same day has the whole chip
    scene(root, "S1", "S1A_IW_GRDH_1SDV_20180401T1", VV=-12.0, VH=-20.0)
    item = SICKLE(root=str(root), split="test", sensors=["S1"], **TINY)[0]
    assert item["inputs"]["frames"][0, 0, 0, 0].item() == pytest.approx(
        (expected - 0.649346) / 0.190305, rel=1e-4
    )


def test_a_file_without_temperature_has_it_missing(tmp_path: Path) -> None:
    """A temperature of 0 would be -124 degrees Celsius."""
    root = one_chip(tmp_path, "L8", {"LC08_143053_20180401": 15000})
    bands = dict.fromkeys(L8[:-1], 15000)
    path = scene(root, "L8", "LC08_143053_20180401", **bands)
    item = SICKLE(root=str(root), split="test", sensors=["L8"], **TINY)[0]
    assert item["inputs"]["bands"].tolist() == [[0, 18, 4, 6, 11, 13, 14, 17]]
    frames = item["inputs"]["frames"][0, :, 0, 0]
    assert frames[-1] == 0
    means = np.array([13920, 14241, 15333, 15181, 21490, 15758, 13321])
    stds = np.array([7094, 6926, 6172, 6173, 4819, 3552, 2949])
    np.testing.assert_allclose(frames[:-1], (15000 - means) / stds, atol=1e-3)
    del bands["SR_B3"]
    path.unlink()
    scene(root, "L8", "LC08_143053_20180401", **bands)
    with pytest.raises(DataError, match="has no band SR_B3, but SR_B1"):
        _ = SICKLE(root=str(root), split="test", sensors=["L8"], **TINY)[0]


def test_series_of_sensors_follow_each_other(toy: Path) -> None:
    """Images of one sensor would be embedded as those of the other."""
    settings = {"sensors": ["S1", "S2"], "bands": {"S2": ["B8A", "B04", "B02"]}}
    dataset = SICKLE(root=str(toy), split="test", num_dates=3, **settings)
    item = dataset[0]
    assert item["inputs"]["frames"].shape == (6, 3, 32, 32)
    assert item["inputs"]["bands"].tolist() == [[15, 16, -1]] * 3 + [[11, 6, 1]] * 3
    assert dataset.metainfo.labels == ("B8A", "B04", "B02")
    assert dataset.metainfo.synthetic


@pytest.mark.parametrize("sensor", ["S1", "S2", "L8"])
def test_a_net_can_learn_from_the_toy_set(sensor: Any, toy: Path) -> None:
    """Tests with the toy set would prove nothing."""
    dataset = SICKLE(root=str(toy), split="train", sensors=[sensor], augment="flips", num_dates=2)
    means: dict[int, list[float]] = {0: [], 1: []}
    for index in range(len(dataset)):
        item = dataset[index]
        target, image = item["data_samples"], item["inputs"]["frames"][0, 0]
        for label, values in means.items():
            values += image[target["valid"] & (target["labels"] == label)].tolist()
    assert np.mean(means[1]) > np.mean(means[0]) + 0.5


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("9,3x,jan-jun,2018,val",), r"tabular\.csv:2: PLOT_ID, YEAR .* are '3x', '2018'"),
        (("9,300,winter,2018,val",), "'winter', expected numbers and months such as 'jan-jun'"),
        (("12,300,jan-jun,2018,val",), r"12\.tif: there is no such label"),
    ],
)
def test_mistakes_in_the_table_are_named(
    rows: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    """A traceback would not name the line."""
    root = table(one_chip(tmp_path, "S2", {}), *rows)
    with pytest.raises(DataError, match=message):
        SICKLE(root=str(root), split="test", **TINY)


def test_other_mistakes_are_named(tmp_path: Path) -> None:
    """A traceback would not name the file and the remedy."""
    with pytest.raises(DataError, match="there is no such table; fetch the set"):
        SICKLE(root=str(tmp_path), split="test")
    root = one_chip(tmp_path, "S2", {})
    with pytest.raises(DataError, match="npy/9: there is no such folder"):
        SICKLE(root=str(root), split="test", **TINY)
    path = scene(root, "S2", "20190101T0_0_T44PLT", **dict.fromkeys(S2, 1000))
    with pytest.raises(DataError, match="no image of the season from 2018-01-01 on"):
        _ = SICKLE(root=str(root), split="test", **TINY)[0]
    path.rename(path.with_name("march.npz"))
    with pytest.raises(DataError, match=r"march\.npz: field 1 of the name .* found 'march'"):
        _ = SICKLE(root=str(root), split="test", **TINY)[0]
    path.with_name("march.npz").rename(path.with_name("20180301T0.npz"))
    mask(root, "9", [[300]], [[22]])
    with pytest.raises(DataError, match=r"9\.tif: has the crop 22, expected"):
        _ = SICKLE(root=str(root), split="test", **TINY)[0]
    path.with_name("20180301T0.npz").write_bytes(b"no archive")
    with pytest.raises(DataError, match="not a readable npz"):
        _ = SICKLE(root=str(root), split="test", **TINY)[0]
    for settings in ({"sensors": ["S2", "S2"]}, {"bands": {"S1": ["VV"]}}, {"sensors": []}):
        with pytest.raises(ConfigError, match="name each sensor once"):
            SICKLE(root=str(root), split="test", **settings)
    (root / FILE).write_text("UNIQUE_ID,PLOT_ID\n1,2")
    with pytest.raises(DataError, match="has no column STANDARD_SEASON, YEAR, SPLIT"):
        SICKLE(root=str(root), split="test")
