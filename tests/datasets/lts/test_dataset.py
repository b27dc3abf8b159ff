"""LTS: three file formats, one dataset."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.datasets.lts.metadata import SeriesFacts
from openstl_ext.datasets.lts.split import CutSettings, cut
from openstl_ext.datasets.synthetic import landscape
from openstl_ext.engine.randomness import seed_everything
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.rasters.window import Window

PATCH = {"patch_size": 16}
RECIPE = CutSettings(patch_size=16, block_size=32, buffer=2, stride=8)


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write one landscape in every format."""
    root = tmp_path_factory.mktemp("lts")
    drawn = landscape.draw(size=128, years=landscape.YEARS[-4:], seed=2)
    landscape.write_stack(root / "stack", drawn)
    landscape.write_rasters(root / "yearly", drawn)
    landscape.write_rasters(root / "together", drawn, one_file=True)
    for name in ("stack", "yearly", "together"):
        cut(root / name, root / name, RECIPE)
    cut(root / "stack", root / "patches", RECIPE, form="patches")
    return {name: root / name for name in ("stack", "yearly", "together", "patches")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    LTSSegmentation.make_toy(tmp_path)
    return tmp_path


def change_facts(root: Path, **changed: object) -> None:
    """Change fields of ``stack.json``."""
    content = json.loads((root / "stack.json").read_text())
    (root / "stack.json").write_text(json.dumps({**content, **changed}))


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("other", ["yearly", "together", "patches"])
def test_all_formats_give_identical_items(forms: dict[str, Path], split: str, other: str) -> None:
    """Converting a dataset would change its scores."""
    settings = {"split": split, "num_years": 3, "bands": ["nir", "red"], **PATCH}
    ours, theirs = (LTSSegmentation(root=str(forms[n]), **settings) for n in ("stack", other))
    assert len(ours) == len(theirs) > 0
    assert ours.metainfo.labels == theirs.metainfo.labels == ("nir", "red")
    assert ours.metainfo.years == theirs.metainfo.years
    missing = 0
    for index in range(len(ours)):
        assert ours.sample_id(index) == theirs.sample_id(index)
        one, two = ours[index], theirs[index]
        for side in ("inputs", "data_samples"):
            assert one[side].keys() == two[side].keys()
            for name, field in one[side].items():
                same = two[side][name]
                assert (field.dtype, field.shape) == (same.dtype, same.shape)
                assert field.numpy().tobytes() == same.numpy().tobytes()
        missing += int((~one["inputs"]["valid"]).sum())
    assert missing > 0


def test_an_item_is_in_data_units(root: Path) -> None:
    """Nets would be trained on stored numbers, or on nodata values."""
    dataset = LTSSegmentation(root=str(root), split="train", **PATCH)
    stack, label = np.load(root / "landsat_stack.npy"), np.load(root / "label.npy")
    row, column = np.load(root / "train_coords.npy")[5]
    item, here = dataset[5], (slice(row, row + 16), slice(column, column + 16))
    stored = stack[:, :, here[0], here[1]]
    frames, valid = item["inputs"]["frames"].numpy(), item["inputs"]["valid"].numpy()
    assert frames.shape == (4, 4, 16, 16)
    assert frames.dtype == np.float32
    np.testing.assert_array_equal(valid, stored != -9999)
    np.testing.assert_allclose(frames[valid], stored[valid] * 1e-4, rtol=1e-6)
    assert np.isnan(frames[~valid]).all()
    assert item["data_samples"]["labels"].dtype == torch.int64
    known = label[here] != 255
    np.testing.assert_array_equal(item["data_samples"]["valid"], known)
    np.testing.assert_array_equal(item["data_samples"]["labels"][known], label[here][known])
    assert dataset.metainfo.synthetic
    assert dataset.metainfo.classes == ("background", "site")
    assert dataset.metainfo.lead == (1, "yr")
    gaps = [
        float((stack[:, :, r : r + 16, c : c + 16] == -9999).mean())
        for r, c in np.load(root / "train_coords.npy")
    ]
    assert dataset.missing_share() == pytest.approx(np.mean(gaps), rel=1e-6)


def test_years_are_the_newest_and_bands_are_selected_by_name(root: Path) -> None:
    """Old years or the wrong bands would be used."""
    all_of_it = LTSSegmentation(root=str(root), split="train", **PATCH)
    some = LTSSegmentation(
        root=str(root), split="train", num_years=2, bands=["red", "blue"], **PATCH
    )
    assert some.metainfo.years == (2017, 2018)
    assert some.metainfo.labels == ("red", "blue")
    expected = all_of_it[0]["inputs"]["frames"][-2:][:, [2, 0]]
    torch.testing.assert_close(
        some[0]["inputs"]["frames"], expected, rtol=0, atol=0, equal_nan=True
    )
    with pytest.raises(ConfigError, match="num_years is 5, but the series has 4 years"):
        LTSSegmentation(root=str(root), split="train", num_years=5, **PATCH)
    with pytest.raises(ConfigError, match=r"no band 'niir'; did you mean 'nir'"):
        LTSSegmentation(root=str(root), split="train", bands=["niir"], **PATCH)
    with pytest.raises(ConfigError, match="each band once"):
        LTSSegmentation(root=str(root), split="train", bands=["nir", "nir"], **PATCH)


def test_unknown_labels_are_not_valid(root: Path) -> None:
    """A loss would index class 255, or unknown pixels would be background."""
    label = np.load(root / "label.npy")
    row, column = np.load(root / "train_coords.npy")[0]
    label[row, column : column + 16] = 255
    np.save(root / "label.npy", label)
    targets = LTSSegmentation(root=str(root), split="train", **PATCH)[0]["data_samples"]
    assert not targets["valid"][0].any()
    assert targets["valid"][1:].any()
    assert set(targets["labels"].unique().tolist()) <= {0, 1}
    with pytest.raises(DataError, match=r"label\.npy: .*label 255"):
        LTSSegmentation(root=str(root), split="train", ignore_index=254, **PATCH)[0]
    with pytest.raises(ConfigError, match="is the class 'site'"):
        LTSSegmentation(root=str(root), split="train", ignore_index=1, **PATCH)


def test_missing_years_are_filled_from_the_nearest_year(root: Path) -> None:
    """The mean would replace a value of the previous year."""
    plain = LTSSegmentation(root=str(root), split="train", **PATCH)
    filled = LTSSegmentation(root=str(root), split="train", fill="nearest_year", **PATCH)
    gone = [not plain[i]["inputs"]["valid"].all() for i in range(len(plain))]
    assert any(gone)
    before, after = (d[gone.index(True)]["inputs"] for d in (plain, filled))
    assert torch.equal(after["valid"], after["frames"].isfinite())
    ever = before["valid"].any(dim=0)
    assert torch.equal(after["valid"], ever.expand_as(after["valid"]))
    assert torch.equal(after["frames"][before["valid"]], before["frames"][before["valid"]])
    assert filled.missing_share() == plain.missing_share()
    with pytest.raises(
        ConfigError, match="fill 'nearest' does not exist; did you mean 'nearest_year'"
    ):
        LTSSegmentation(root=str(root), split="train", fill="nearest", **PATCH)


def test_augmentation_rotates_all_fields_alike_and_depends_on_the_seed(root: Path) -> None:
    """Labels would be displaced, or a resumed run would see other patches."""
    plain = LTSSegmentation(root=str(root), split="train", **PATCH)
    turned = LTSSegmentation(root=str(root), split="train", augment=True, **PATCH)
    index = next(i for i in range(len(plain)) if plain[i]["data_samples"]["labels"].sum() > 8)
    reference, seen = plain[index], set()
    for seed in range(40):
        seed_everything(seed)
        item = turned[index]
        seed_everything(seed)
        again = turned[index]
        assert torch.equal(item["inputs"]["valid"], again["inputs"]["valid"])
        found = []
        for number in range(8):

            def back(field: torch.Tensor, number: int = number) -> torch.Tensor:
                return torch.rot90(field.flip(-1) if number > 3 else field, number % 4, (-2, -1))

            wanted = [back(reference[s][n]) for s in reference for n in reference[s]]
            given = [item[s][n] for s in reference for n in reference[s]]
            pairs = zip(wanted, given, strict=True)
            if all(
                torch.equal(torch.nan_to_num(a * 1.0), torch.nan_to_num(b * 1.0)) for a, b in pairs
            ):
                found.append(number)
        assert len(found) == 1
        seen.update(found)
    assert len(seen) == 8
    with pytest.raises(ConfigError, match="augment is for training"):
        LTSSegmentation(root=str(root), split="val", augment=True, **PATCH)


@pytest.mark.parametrize("form", ["stack", "yearly", "patches"])
def test_a_pickled_dataset_contains_no_pixels(forms: dict[str, Path], form: str) -> None:
    """Every worker would receive a copy of the stack."""
    dataset = LTSSegmentation(root=str(forms[form]), split="train", **PATCH)
    before = dataset[1]["inputs"]["frames"]
    sent = pickle.dumps(dataset)
    assert len(sent) < 60_000
    after = pickle.loads(sent)[1]["inputs"]["frames"]
    torch.testing.assert_close(before, after, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("form", ["stack", "yearly", "together"])
def test_a_scene_reads_what_the_dataset_reads(forms: dict[str, Path], form: str) -> None:
    """Maps would be computed from other inputs than training."""
    settings = {"bands": ["nir", "red"], "num_years": 3, "fill": "nearest_year", **PATCH}
    dataset = LTSSegmentation(root=str(forms[form]), split="val", **settings)
    scene = LTSSegmentation.scene(forms[form], settings)
    assert (scene.grid.height, scene.grid.width) == (128, 128)
    assert "UTM zone 33N" in scene.grid.crs
    assert scene.steps(4) == []
    assert scene.clip is None
    row, column = np.load(forms[form] / "val_coords.npy")[0].tolist()
    inputs = scene.read(Window(row, column, 16, 16))
    for name, field in dataset[0]["inputs"].items():
        np.testing.assert_array_equal(inputs[name], field)
    corner = scene.read(Window(-4, 120, 16, 16))
    assert corner["frames"].shape == (3, 2, 16, 16)
    assert not corner["valid"][:, :, :4].any()
    assert not corner["valid"][:, :, :, 8:].any()
    assert corner["valid"][:, :, 4:, :8].any()
    assert np.isnan(corner["frames"][~corner["valid"]]).all()


def test_a_scene_needs_no_label_and_may_be_one_file(forms: dict[str, Path], tmp_path: Path) -> None:
    """Only areas with labels could be mapped."""
    for name in ("landsat_stack.npy", "stack.json"):
        (tmp_path / name).write_bytes((forms["stack"] / name).read_bytes())
    for source in (tmp_path, tmp_path / "landsat_stack.npy", forms["together"] / "landscape.tif"):
        inputs = LTSSegmentation.scene(source, PATCH).read(Window(0, 0, 8, 8))
        assert inputs["frames"].shape == (4, 4, 8, 8)
    with pytest.raises(DataError, match="contains patches, expected an area"):
        LTSSegmentation.scene(forms["patches"], PATCH)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"years": [2016, 2017, 2018]}, r"expected \(3, 4, H, W\) for .*stack\.json"),
        ({"bands": ["red", "nir"]}, r"landsat_stack\.npy: shape is .*expected \(4, 2, H, W\)"),
        ({"bands": ["red", "nir", "red", "b"]}, "bands are .*, expected at least one, each once"),
        ({"years": [2018, 2017, 2016, 2015]}, "order them, oldest first"),
        ({"years": [2015, 2016, 2017, 2018.5]}, r"stack\.json: Expected `int`, .*years\[3\]"),
        ({"classes": ["site"]}, "length >= 2 - at .*classes"),
        ({"yeers": [1]}, r"unknown field `yeers`, did you mean 'years'\?; it should be as in"),
        ({"years": []}, r"years are \[\], expected at least one"),
        ({"bands": ["nir", "red", "green", "blue"]}, r"statistics\.json: bands are blue, "),
    ],
)
def test_inconsistent_metadata_is_rejected(root: Path, changed: dict, message: str) -> None:
    """Bands would be normalised with statistics of others."""
    change_facts(root, **changed)
    with pytest.raises(DataError, match=message):
        LTSSegmentation(root=str(root), split="train", **PATCH)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("label.npy", np.zeros((128, 127)), r"label\.npy: shape is \(128, 127\), .*landsat_stack"),
        ("label.npy", np.full((128, 128), 7), r"label\.npy: the window at .* label 7"),
        ("label.npy", np.full((128, 128), 0.5), r"label\.npy: .* label 0\.5"),
        ("label.npy", np.full((128, 128), np.nan), r"label\.npy: .* has NaN"),
        ("label.npy", np.full((128, 128), "site"), r"label\.npy: holds <U4"),
        ("train_coords.npy", [[0, np.nan]], r"train_coords\.npy: corner 0 is \[0\.0, nan\]"),
        ("train_coords.npy", [[0, 0], [0.5, 0]], r"corner 1 is \[0\.5, 0\.0\]"),
        ("train_coords.npy", [[0, 113]], r"corner 0 is \[0, 113\], .*inside 128 x 128"),
        ("train_coords.npy", [[-1, 0]], "inside 128 x 128"),
        ("train_coords.npy", [[0, 0, 0]], r"shape is \(1, 3\), expected \(N, 2\)"),
        ("train_coords.npy", np.zeros((0, 2)), r"shape is \(0, 2\)"),
        ("train_coords.npy", [[8, 8], [8, 8]], "1 corners occur twice"),
        ("landsat_stack.npy", np.zeros((4, 4, 128, 128), object), "landsat_stack"),
    ],
)
def test_invalid_arrays_are_named(root: Path, name: str, array: list, message: str) -> None:
    """Unreadable labels would be background, as upstream."""
    np.save(root / name, np.array(array), allow_pickle=True)
    with pytest.raises(DataError, match=message):
        LTSSegmentation(root=str(root), split="train", **PATCH)[0]


def test_a_truncated_array_is_named(root: Path) -> None:
    """A truncated copy would crash a worker."""
    path = root / "landsat_stack.npy"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"landsat_stack\.npy: not a readable array"):
        LTSSegmentation(root=str(root), split="train", **PATCH)


@pytest.mark.parametrize("gone", ["landsat_stack.npy", "label.npy", "stack.json", "val_coords.npy"])
def test_a_missing_file_is_answered_with_the_command(root: Path, gone: str) -> None:
    """Users would get a traceback."""
    (root / gone).unlink()
    (root / "blocks.json").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"openstl-ext data lts"):
        LTSSegmentation(root=str(root), split="val", **PATCH)


def test_blocks_are_cut_when_there_are_no_corners(root: Path) -> None:
    """A block split without corners could not be used."""
    cornered = LTSSegmentation(root=str(root), split="test", **PATCH)
    (root / "test_coords.npy").unlink()
    blocked = LTSSegmentation(root=str(root), split="test", **PATCH)
    known = [cornered.sample_id(i) for i in range(len(cornered))]
    assert set(known) <= {blocked.sample_id(i) for i in range(len(blocked))}


def test_the_patch_size_must_be_that_of_the_cut(forms: dict[str, Path]) -> None:
    """Larger training patches would extend into test blocks."""
    with pytest.raises(ConfigError, match=r"patch_size is 32, but the corners .* were cut for 16"):
        LTSSegmentation(root=str(forms["stack"]), split="train", patch_size=32)
    with pytest.raises(DataError, match=r"\.npy: shape is .* expected .* patch_size=32"):
        LTSSegmentation(root=str(forms["patches"]), split="train", patch_size=32)


def test_a_pickle_is_rejected_with_the_command_that_converts_it(root: Path) -> None:
    """A downloaded file could run code."""
    (root / "statistics.json").rename(root / "norm_stats.pkl")
    command = r"norm_stats\.pkl: a pickle may run code .*openstl-ext data lts convert --source"
    with pytest.raises(DataError, match=command):
        LTSSegmentation(root=str(root), split="train", **PATCH)


def test_two_formats_in_one_folder_are_rejected(root: Path, forms: dict[str, Path]) -> None:
    """The series that is read would be arbitrary."""
    (root / "landscape.tif").write_bytes((forms["together"] / "landscape.tif").read_bytes())
    with pytest.raises(DataError, match=r"in several formats \(stack, geotiff\)"):
        LTSSegmentation(root=str(root), split="train", **PATCH)


def test_published_file_names_are_answered_with_the_conversion(tmp_path: Path) -> None:
    """Users of the original files would not find the converter."""
    np.save(tmp_path / "landsat_stackV2.npy", np.zeros((1, 1, 2, 2)))
    with pytest.raises(DatasetNotFoundError, match="convert --source"):
        LTSSegmentation(root=str(tmp_path), split="train")


@pytest.mark.parametrize("dtype", ["int16", "uint16", "float16", "float32", "float64"])
def test_nodata_is_recognised_in_every_number_type(dtype: str) -> None:
    """Nodata of one type would be read as data."""
    kind = np.dtype(dtype)
    facts = SeriesFacts(years=(2000,), bands=("red",), nodata=7, scale=0.5, offset=1)
    stored = np.array([7, 8, 9]).astype(kind)
    np.testing.assert_array_equal(facts.in_data_units(stored), np.array([np.nan, 5, 5.5], "f4"))
    if kind.kind == "f":
        stored[1:] = np.nan, -np.inf
        assert np.isnan(facts.in_data_units(stored)).all()
    far = replace(facts, nodata=-3.4e38)
    assert np.isnan(far.in_data_units(stored)[1:]).all() == (kind.kind == "f")
