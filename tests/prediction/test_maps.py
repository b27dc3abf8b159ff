"""Maps as GeoTIFFs."""

from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio

from openstl_ext.errors import DataError
from openstl_ext.prediction import maps
from openstl_ext.prediction.mapping import map_scene
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.prediction.tiles import Tiling
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window

from .scenes import UTM, Landscape, forecasting, segmentation

TILING = Tiling(height=UTM.height, width=UTM.width, size=32, overlap=8)
AREA = Window(11, 23, 50, 40)
TAGS = {"config": "lts/toy"}


def write_labels(folder: Path, scene: Landscape, classes=(), **options) -> None:
    predictor = Predictor(segmentation(**options), device="cpu")
    with maps.label_map(
        folder / "map.tif",
        predictor,
        grid=scene.grid,
        area=AREA,
        probability=folder / "p.tif",
        classes=classes,
        tags=TAGS,
    ) as sink:
        answer = partial(predictor, horizon=0)
        map_scene(answer, scene, sink, tiling=TILING, area=AREA, step=maps.BLOCK)


@pytest.fixture
def scene() -> Landscape:
    """Scene with missing pixels."""
    found = Landscape(clip=(0.0, 0.1))
    found.frames[:, :, 20:30, 30:35] = np.nan
    return found


HOLE = np.s_[20 - AREA.row : 30 - AREA.row, 30 - AREA.column : 35 - AREA.column]


def test_bands_have_the_names_of_the_classes(tmp_path, scene):
    """A user of a GIS would have to look up which band is which class."""
    write_labels(tmp_path, scene, classes=("background", "site"))
    with rasterio.open(tmp_path / "map.tif") as labels, rasterio.open(tmp_path / "p.tif") as rng:
        assert labels.descriptions == ("class: 0 background, 1 site",)
        assert rng.descriptions == ("probability of background", "probability of site")
        assert labels.tags(1)["class_1"] == "site"
        palette = labels.colormap(1)
        assert palette[0] == (0xDD, 0xDD, 0xDD, 255)
        assert palette[1] == (0, 0x72, 0xB2, 255)
        assert palette[255][3] == 0
    text = (tmp_path / "map.tif.aux.xml").read_text()
    names = [node.text for node in ElementTree.fromstring(text).iter("Category")]
    assert names == ["background", "site"]


def test_classes_of_another_number_are_numbered(tmp_path, scene):
    """Names of the first two of three classes would be wrong ones."""
    write_labels(tmp_path, scene, classes=("background", "site", "water"))
    with rasterio.open(tmp_path / "map.tif") as labels, rasterio.open(tmp_path / "p.tif") as rng:
        assert labels.descriptions == ("class: 0 class 0, 1 class 1",)
        assert rng.descriptions == ("probability of class 0", "probability of class 1")


def test_a_map_has_the_georeference_and_a_nodata_tag(tmp_path, scene):
    """The map would be displaced, or its gaps would be class 255."""
    write_labels(tmp_path, scene)
    with rasterio.open(tmp_path / "map.tif") as labels, rasterio.open(tmp_path / "p.tif") as rng:
        for file in (labels, rng):
            wide = Grid(
                height=50, width=40, crs=UTM.crs, transform=(30, 0, 500_690, 0, -30, 3_999_670)
            )
            Grid.of(file).check_same(wide, path="found", other_path="expected")
            assert file.tags()["config"] == "lts/toy"
        assert (labels.dtypes, labels.nodata, labels.count) == (("uint8",), 255, 1)
        assert (rng.dtypes, rng.count) == (("float32",) * 2, 2)
        assert np.isnan(rng.nodata)
        assert rng.descriptions == ("probability of class 0", "probability of class 1")
        classes, shares = labels.read(1), rng.read()
    assert (classes[HOLE] == 255).all()
    assert np.isnan(shares[(slice(None), *HOLE)]).all()
    known = classes != 255
    assert np.array_equal(known, np.isfinite(shares[0]))
    assert known.sum() == known.size - 50
    assert np.array_equal(classes[known], shares[1][known] >= 0.5)


@pytest.mark.parametrize(("options", "classes"), [({"threshold": 0.4}, 2), ({"num_logits": 3}, 3)])
def test_classes_are_decided_by_the_method_from_blended_probabilities(
    tmp_path, scene, options, classes
):
    """Classes of overlapping tiles could not be combined."""
    write_labels(tmp_path, scene, **options)
    with rasterio.open(tmp_path / "map.tif") as labels, rasterio.open(tmp_path / "p.tif") as rng:
        found, shares = labels.read(1), rng.read()
    expected = shares[1] >= 0.4 if classes == 2 else shares.argmax(0)
    known = found != 255
    assert len(shares) == classes
    assert np.array_equal(found[known], expected[known])


def test_a_forecast_is_a_clipped_map_per_lead_and_field(tmp_path, scene):
    """Leads and quantiles could not be identified by file name."""
    predictor = Predictor(forecasting(), device="cpu")

    def answer(inputs):
        forecast = predictor(inputs, 2)["forecast"]
        return {"forecast": forecast, "lower": forecast - 0.1, "upper_calibrated": forecast + 0.1}

    with maps.forecast_maps(
        tmp_path, "hm", scene.steps(2), grid=scene.grid, area=AREA, clip=scene.clip, tags=TAGS
    ) as sink:
        map_scene(answer, scene, sink, tiling=TILING, area=AREA, step=maps.BLOCK)
    kinds = ("central", "lower", "upper_calibrated")
    names = {f"hm_{year}_{kind}.tif" for year in (2025, 2030) for kind in kinds}
    assert {path.name for path in tmp_path.iterdir()} == names
    whole = predictor({"frames": np.nan_to_num(scene.frames)[None]}, 2)["forecast"][0]
    for name in names:
        with rasterio.open(tmp_path / name) as file:
            values = file.read()
            assert np.isnan(file.nodata)
        assert values.shape == (2, 50, 40)
        assert np.isnan(values[(slice(None), *HOLE)]).all()
        assert (np.nanmin(values), np.nanmax(values)) == (0, np.float32(0.1))
    with rasterio.open(tmp_path / "hm_2030_central.tif") as file:
        inside = file.read()[:, 30, 5]  # far from the borders of tiles and from the hole
    row, column = AREA.row + 30, AREA.column + 5
    np.testing.assert_allclose(inside, np.clip(whole[1, :, row, column], 0, 0.1), atol=1e-5)


def test_an_error_leaves_no_files(tmp_path, scene, monkeypatch):
    """An incomplete map would look like a complete one."""
    read, calls = scene.read, []

    def read_until_it_breaks(window):
        calls.append(window)
        if len(calls) > 6:
            raise DataError("the disk is gone")
        return read(window)

    monkeypatch.setattr(scene, "read", read_until_it_breaks)
    with pytest.raises(DataError, match="gone"):
        write_labels(tmp_path, scene)
    assert list(tmp_path.iterdir()) == []
