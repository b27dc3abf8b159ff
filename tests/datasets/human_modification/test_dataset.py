"""Human Modification: contents of samples, and errors about rasters and arguments."""

import json
import pickle
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch.utils.data import default_collate

from openstl_ext.datasets.human_modification.dataset import HumanModification
from openstl_ext.engine.randomness import seed_everything
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.rasters.region import Region
from openstl_ext.rasters.window import Window
from tests.datasets.human_modification.rasters_folder import (
    NODATA,
    SHAPE,
    YEARS,
    index_of,
    set_pixel,
    write_year,
)
from tests.rasters.files import write_tif

BENCHMARKS = Path(__file__).parents[3] / "configs/_base_/benchmarks"
SPLITS = ("train", "val", "test", "calibration")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy")
    HumanModification.make_toy(path)
    return path


def direct(root: Path, **changed: Any) -> HumanModification:
    """Build the dataset of the folder with known numbers."""
    usual: dict[str, Any] = {"split": "train", "target": "AA", "dynamic": ["AG"]}
    usual |= {"static": ["tas"], "lonlat": True, "chip_size": 6}
    return HumanModification(root=str(root), **{**usual, **changed})


def at(dataset: HumanModification, row: int, column: int, end: int) -> dict[str, Any]:
    """Return the item of a chip of the grid."""
    index = dataset.chips.index((Window(row, column, 6, 6), end))
    return dataset[index]  # type: ignore[return-value]


def test_a_sample_contains_the_years_before_and_after(root: Path) -> None:
    """Years, covariates or coordinates would be mixed up."""
    item = at(direct(root), 9, 1, 2000)
    place = (slice(9, 15), slice(1, 7))
    past = np.stack([index_of(y)[place] for y in (1990, 1995, 2000)])[:, None]
    future = np.stack([index_of(y)[place] for y in (2005, 2010, 2015, 2020)])[:, None]
    inputs, targets = item["inputs"], item["data_samples"]
    np.testing.assert_array_equal(inputs["frames"], past)
    np.testing.assert_array_equal(inputs["dynamic"], past * 2)
    np.testing.assert_array_equal(inputs["static"], index_of(1990)[place][None] + 10)
    np.testing.assert_array_equal(targets["frames"], future)
    assert bool(inputs["valid"].all() and targets["valid"].all())
    # half a degree a pixel, from 10 E 50 N
    np.testing.assert_allclose(inputs["lonlat"][:, 0, 0], (10 + 1.5 / 2, 50 - 9.5 / 2))


def test_future_years_are_missing(root: Path) -> None:
    """Forecasts of 2025 would be compared with arbitrary values."""
    dataset = direct(root)
    targets = at(dataset, 9, 1, 2015)["data_samples"]
    assert targets["valid"].flatten(1).all(dim=1).tolist() == [True, False, False, False]
    assert bool(targets["frames"][1:].isnan().all())
    assert dataset.end_years == (2000, 2005, 2010, 2015)
    assert direct(root, num_inputs=2).end_years[0] == 1995
    only = direct(root, end_years=[2000])
    assert (only.metainfo.years, only.metainfo.lead) == ((1990, 1995, 2000), (5, "yr"))
    assert (only.metainfo.labels, only.metainfo.unit) == (("AA",), "0-1")


def test_a_pixel_without_one_input_is_missing_in_all(root: Path) -> None:
    """Maps would treat missing pixels differently from training."""
    set_pixel(root, "HM_1995_AA_1000.tiff", 9, 1)
    set_pixel(root, "hm_static_tas_1000.tiff", 10, 2)
    set_pixel(root, "HM_2005_AA_1000.tiff", 11, 3)
    set_pixel(root, "HM_2000_AG_1000.tiff", 12, 4)
    item = at(direct(root), 9, 1, 2000)
    inputs, targets = item["inputs"], item["data_samples"]
    missing = torch.zeros(6, 6, dtype=torch.bool)
    missing[0, 0] = missing[1, 1] = True
    assert torch.equal(~inputs["valid"], missing.expand(3, 1, 6, 6))
    assert torch.equal(inputs["frames"].isfinite(), inputs["valid"])
    assert torch.equal(~targets["valid"][1:], missing.expand(3, 1, 6, 6))
    missing[2, 2] = True  # its target is missing, its inputs are known
    assert torch.equal(~targets["valid"][0, 0], missing)
    assert float(inputs["dynamic"][2, 0, 3, 3]) == 0  # a gap of agriculture means 0
    strict = at(direct(root, zero_where_missing=()), 9, 1, 2000)
    assert not strict["data_samples"]["valid"][..., 3, 3].any()


def test_coordinates_outside_the_projection_are_not_nan(root: Path) -> None:
    """A NaN in the corner of a world map would spread over a chip."""
    pixel, west, north = 300_000.0, -18_040_000.0, 9_020_000.0
    for year in YEARS:
        write_tif(
            root / f"HM_{year}_AA_1000.tiff",
            index_of(year),
            crs="ESRI:54009",
            transform=(pixel, 0, west, 0, -pixel, north),
        )
    dataset = direct(root, dynamic=(), static=(), min_valid=0.01)
    inputs = dataset.rasters.inputs(Window(0, 0, 16, 16), [1990])
    assert np.isfinite(inputs["lonlat"]).all()
    assert not inputs["valid"][..., :4, :4].any()
    assert (
        direct(root, dynamic=(), static=(), lonlat=False)
        .rasters.inputs(Window(0, 0, 16, 16), [1990])["valid"]
        .all()
    )


@pytest.mark.parametrize("mode", ["grid", "random"])
def test_splits_share_no_pixel(toy: Path, mode: str) -> None:
    """Nets would be tested on pixels that they were trained on."""
    taken: dict[str, np.ndarray] = {}
    for split in SPLITS:
        dataset = HumanModification(
            root=str(toy), split=split, chip_size=16, stride=3, values="0-10000", min_valid=0.01
        )
        cover = np.zeros((dataset.rasters.grid.height, dataset.rasters.grid.width), bool)
        windows = [window for window, _ in dataset.chips]
        if mode == "random":
            rng = np.random.default_rng(0)
            windows = [
                dataset.blocks.draw_window(split, size=16, buffer=dataset.buffer, rng=rng)
                for _ in range(200)
            ]
        for window in windows:
            cover[window.slices] = True
        taken[split] = cover
    for one, other in combinations(SPLITS, 2):
        grown = np.zeros_like(taken[one])
        for row, column in np.argwhere(taken[one]):
            grown[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = True
        assert not (grown & taken[other]).any(), (one, other)


def test_random_chips_depend_on_the_seed_only(root: Path) -> None:
    """A resumed run would see other data."""
    dataset = direct(root, mode="random", chips_per_epoch=5, min_valid=0.01)
    assert len(dataset) == 5
    drawn = []
    for seed in (0, 0, 1):
        seed_everything(seed)
        drawn.append(default_collate([dataset[i] for i in range(5)])["inputs"]["frames"])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    corners = {tuple(frames[:, 0, 0, 0].tolist()) for frames in drawn[0]}
    assert len(corners) > 1


@pytest.mark.slow
def test_chips_with_little_data_are_neither_listed_nor_drawn(root: Path) -> None:
    """Most chips of an epoch could be sea."""
    land = np.zeros(SHAPE, bool)
    land[:16] = True
    for year in YEARS:
        write_year(root, "AA", year, np.where(land, index_of(year), NODATA), nodata=NODATA)
    listed = direct(root, split="train", stride=1)
    assert {window.row for window, _ in listed.chips} == set(range(16))
    dataset = direct(root, mode="random", chips_per_epoch=40, min_valid=0.9)
    seed_everything(0)
    for index in range(40):
        assert float(dataset[index]["data_samples"]["valid"][0].float().mean()) >= 0.9


def test_sample_ids_name_position_and_year(toy: Path) -> None:
    """Saved forecasts of two chips would overwrite each other."""
    dataset = HumanModification(root=str(toy), split="test", chip_size=16, values="0-10000")
    ids = [dataset.sample_id(index) for index in range(len(dataset))]
    assert len(set(ids)) == len(ids)
    window, end = dataset.chips[0]
    assert ids[0] == f"r{window.row:05d}_c{window.column:05d}_{end}"
    settings = {"chip_size": 16, "values": "0-10000", "mode": "random"}
    drawn = HumanModification(root=str(toy), split="train", **settings)
    assert drawn.sample_id(7) == "train-00007"
    assert dataset.metainfo.synthetic


def test_both_naming_schemes_give_the_same_data(toy: Path) -> None:
    """The two versions would be compared on different data."""
    simple = HumanModification(
        root=str(toy), split="test", chip_size=16, values="0-10000", static=["elevation"]
    )
    newer = HumanModification(root=str(toy), split="test", chip_size=16, target="AA")
    assert simple.chips == newer.chips
    for one, other in zip(simple, newer, strict=False):  # type: ignore[call-overload]
        a, b = one["inputs"]["frames"] / 10_000, other["inputs"]["frames"]
        torch.testing.assert_close(a, b, equal_nan=True)
    assert (simple.metainfo.unit, newer.metainfo.unit) == ("0-10000", "0-1")


def test_a_dataset_can_be_pickled(root: Path) -> None:
    """Loaders with workers could not start on systems that spawn them."""
    dataset = direct(root)
    expected = dataset[3]["inputs"]["frames"]
    assert torch.equal(pickle.loads(pickle.dumps(dataset))[3]["inputs"]["frames"], expected)


def test_a_scene_reads_the_inputs_of_training(root: Path) -> None:
    """Maps would be computed from other inputs than training."""
    set_pixel(root, "HM_2015_AA_1000.tiff", 9, 1)
    for year in (1990, 1995, 2000):  # not needed for a map
        (root / f"HM_{year}_AA_1000.tiff").unlink()
    (root / "split.json").unlink()
    settings = {"target": "AA", "dynamic": ["AG"], "static": ["tas"], "lonlat": True}
    scene = HumanModification.scene(root, {**settings, "end_years": [2000], "mode": "grid"})
    inputs = scene.read(Window(8, -2, 6, 6))
    assert {name: values.shape for name, values in inputs.items()} == {
        "frames": (3, 1, 6, 6),
        "valid": (3, 1, 6, 6),
        "dynamic": (3, 1, 6, 6),
        "static": (1, 6, 6),
        "lonlat": (2, 6, 6),
    }
    known = np.ones((6, 6), bool)
    known[:, :2] = known[1, 3] = False  # beyond the edge; missing in 2015
    assert (inputs["valid"] == known).all()
    assert (np.isfinite(inputs["frames"]) == known).all()
    np.testing.assert_array_equal(inputs["frames"][2, 0, 0, 2:], index_of(2020)[8, :4])
    assert scene.steps(3) == ["2025", "2030", "2035"]
    assert scene.clip == (0, 1)
    assert HumanModification.scene(root, {**settings, "values": "0-10000"}).clip == (0, 10_000)


def test_a_region_outside_is_rejected(root: Path) -> None:
    """An empty map would be written."""
    ring = [[100, 0], [101, 0], [101, 1], [100, 0]]
    (root / "far.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    scene = HumanModification.scene(root, {"target": "AA"})
    with pytest.raises(DataError, match=r"far\.geojson lies outside of the raster"):
        Region.read(root / "far.geojson", scene.grid)


def test_a_missing_year_is_named_with_the_existing_ones(root: Path) -> None:
    """Users could not find the incomplete download."""
    (root / "HM_2010_AA_1000.tiff").unlink()
    with pytest.raises(DataError) as error:
        direct(root)
    text = str(error.value)
    assert f"{root} has no raster of AA 2010; copy HM_2010_AA_*.tiff there" in text
    assert text.endswith("existing are: AA 1990, 1995, 2000, 2005, 2015, 2020")
    with pytest.raises(
        DatasetNotFoundError, match=r"by hand .* `openstl-ext data human-modification split"
    ):
        direct(root / "nowhere")


def test_a_missing_static_covariate_is_named_with_its_file(root: Path) -> None:
    """A typing error in a covariate would go unnoticed."""
    with pytest.raises(DataError, match=r"no raster of elevation; copy SRTM_Elevation_\*\.tif"):
        direct(root, static=["elevation"])
    with pytest.raises(DataError, match=r"copy hm_static_ele_\*\.tiff there.* existing are: .*tas"):
        direct(root, static=["ele"])


def test_two_files_of_one_variable_are_selected_by_a_pattern(root: Path) -> None:
    """The resolution that is read would be arbitrary."""
    (root / "fine").mkdir()
    write_tif(root / "fine" / "HM_1990_AA_300.tiff", index_of(1990))
    with pytest.raises(DataError, match=r"AA_1000\.tiff and .*AA_300\.tiff are both AA 1990"):
        direct(root)
    assert len(direct(root, files="*_1000.tiff"))


def test_a_raster_on_another_grid_is_rejected(root: Path) -> None:
    """Covariates of other places would be learnt from."""
    shifted = (0.5, 0, 10.25, 0, -0.5, 50)
    write_tif(root / "hm_static_tas_1000.tiff", index_of(1990), transform=shifted)
    with pytest.raises(DataError) as error:
        direct(root)
    text = str(error.value)
    assert "hm_static_tas_1000.tiff" in text
    assert "differ in transform" in text
    assert text.count("32 x 48 pixels of 0.5 x -0.5 from") == 2


def test_values_outside_the_declared_range_are_rejected(root: Path) -> None:
    """An index from 0 to 10000 would be used as 0 to 1."""
    set_pixel(root, "HM_2000_AA_1000.tiff", 9, 2, value=7000)
    with pytest.raises(DataError, match=r"HM_2000_AA_1000\.tiff: 7000 at .*values='0-10000'"):
        direct(root)
    set_pixel(root, "HM_2000_AA_1000.tiff", 9, 2, value=-0.5)
    with pytest.raises(DataError, match=r"-0\.5 at .* is outside the range 0-1"):
        direct(root)


def test_an_index_from_0_to_1_under_the_larger_range_is_warned_of(root: Path) -> None:
    """Normalisation would make all maps equal to 0, in training and in prediction."""
    with pytest.warns(UserWarning, match=r"AA_1000\.tiff: values are fractions .*values='0-1'"):
        direct(root, values="0-10000")
    rules = HumanModification.frame_rules({"values": "0-10000"})
    rules.check(np.full((3, 1, 8, 8), 9000.0), place="x")
    with pytest.raises(DataError, match="expected 0 to 1"):
        HumanModification.frame_rules({}).check(np.full((3, 1, 8, 8), 9000.0), place="x")


@pytest.mark.parametrize("mode", ["grid", "random"])
def test_chips_without_data_are_an_error_with_the_emptiest_raster(root: Path, mode: str) -> None:
    """Training would run without data, or search endlessly."""
    empty = np.full(SHAPE, NODATA, np.float32)
    write_tif(root / "hm_static_tas_1000.tiff", empty, nodata=NODATA)
    with pytest.raises(DataError) as error:
        direct(root, mode=mode)[0]
    text = str(error.value)
    assert "in split 'train' has 10% known pixels" in text
    assert "hm_static_tas_1000.tiff (0% known)" in text
    assert "min_valid" in text


def test_a_split_of_other_rasters_or_none_is_rejected(root: Path) -> None:
    """Test blocks would overlap training areas."""
    document = json.loads((root / "split.json").read_text())
    (root / "split.json").write_text(json.dumps({**document, "about": {}}))
    with pytest.raises(DataError, match=r"split\.json has no buffer"):
        direct(root)
    (root / "split.json").write_text(json.dumps({**document, "height": 31}))
    with pytest.raises(DataError, match=r"size is 31 x 48, but the rasters have 32 x 48"):
        direct(root)
    (root / "split.json").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"split --target AA --chip-size \d+ --root"):
        direct(root)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"split": "calibrate"}, "did you mean 'calibration'"),
        ({"mode": "gird"}, "did you mean 'grid'"),
        ({"values": "0-100"}, "did you mean '0-1"),
        ({"years": [1990, 2000, 2005]}, "equal steps"),
        ({"years": [1990, 1995, 2000]}, "need 4 years"),
        ({"end_years": [1995]}, r"end_years are \[1995\]; choose from 2000, 2005, 2010, 2015"),
        ({"end_years": []}, "choose from"),
        ({"zero_where_missing": ["elevatoin"]}, "did you mean 'elevation'"),
        ({"dynamic": ["AG", "AA"]}, "AA: name each variable once"),
        ({"min_valid": 0.0}, "min_valid"),
    ],
)
def test_invalid_arguments_are_rejected(root: Path, changed: dict[str, Any], message: str) -> None:
    """A typing error would change results silently."""
    with pytest.raises(ConfigError, match=message):
        direct(root, **changed)


@pytest.mark.parametrize("kind", ["simple", "direct", "miniature_simple", "miniature_direct"])
def test_benchmarks_normalise_the_channels_of_their_dataset(kind: str) -> None:
    """Covariates would be normalised with statistics of others."""
    cfg = Config.fromfile(BENCHMARKS / f"human_modification_{kind}.py")
    channels = cfg.model.data_preprocessor.channels
    for stage in ("train", "val", "test"):
        dataset = cfg[f"{stage}_dataloader"].dataset
        assert dataset.split == stage
        assert channels.frames == [dataset.target]
        assert channels.get("dynamic", []) == dataset.get("dynamic", [])
        assert channels.get("static", []) == dataset.get("static", [])
        assert cfg.model.data_preprocessor.statistics.startswith(f"{dataset.root}/statistics_")
