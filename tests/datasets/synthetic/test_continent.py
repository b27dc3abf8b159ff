"""Synthetic continent: reproducible, in the real format, and hard for baselines."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from openstl_ext.datasets.human_modification.dataset import HumanModification
from openstl_ext.datasets.human_modification.rasters import PRESSURES, STATICS
from openstl_ext.datasets.synthetic.continent import Continent, draw
from openstl_ext.datasets.synthetic.continent_files import MINIATURE, TOY, ContinentSettings, write
from openstl_ext.datasets.synthetic.terrain import blurred
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.region import Region

YEARS = (1990, 1995, 2000, 2005, 2010, 2015, 2020)


@pytest.fixture(scope="module")
def continent() -> Continent:
    return draw(shape=(192, 256), years=YEARS, seed=0)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("continent")
    write(path, TOY)
    return path


def mean_error(predicted: np.ndarray, target: np.ndarray) -> float:
    return float(np.nanmean(np.abs(predicted - target)))


def test_growth_is_neither_constant_nor_linear(continent: Continent) -> None:
    """Baselines could not be beaten, and the miniature would show nothing."""
    past, last = continent.index[1:3]
    line = last - past
    for step in range(1, 5):
        target = continent.index[2 + step]
        change = mean_error(last, target)
        assert change > 0.04 * step
        assert mean_error(last + step * line, target) > 0.4 * change


def test_growth_depends_on_neighbouring_pixels(continent: Continent) -> None:
    """Nets with spatial context would have no advantage."""
    known = np.isfinite(continent.index).all(axis=0)
    last, target = np.nan_to_num(continent.index[2]), continent.index[6]
    line = last - np.nan_to_num(continent.index[1])
    own = [np.ones_like(last), last, line, last**2, last * line, line**2, last**3]
    alone = np.stack(own, axis=-1)[known]
    around = [blurred(field, width) for field in (last, line) for width in (1.0, 2.0, 4.0)]
    near = np.stack(around, axis=-1)[known]
    both = np.concatenate([alone, near, near**2, near * alone[:, 1:2]], axis=1)
    change = (target - last)[known]

    def explained(features: np.ndarray) -> float:
        weights, *_ = np.linalg.lstsq(features, change, rcond=None)
        return float(1 - (change - features @ weights).var() / change.var())

    assert explained(both) > explained(alone) + 0.1
    assert explained(both) > 0.75


def test_the_continent_has_sea_and_gaps(continent: Continent) -> None:
    """Missing data of the real rasters would not occur in the miniature."""
    known = np.isfinite(continent.index)
    assert 0.5 < known.mean() < 0.9
    assert not known[:, 0, 0].any()  # sea
    assert (known.any(axis=0) & ~known.all(axis=0)).any()  # gaps of some years
    land = np.isfinite(continent.fixed["dpi_dsi"])
    assert (land & ~known.any(axis=0)).any()  # gaps of all years, at the coast
    assert (land & ~np.isfinite(continent.fixed["tas"])).any()
    assert set(continent.yearly) == set(PRESSURES)
    assert set(continent.fixed) == set(STATICS)
    for name, maps in continent.yearly.items():
        assert not np.isfinite(maps[:, ~land]).any(), name
        assert np.nanmin(maps) >= 0, name
    assert np.nanmin(continent.index) >= 0
    assert np.nanmax(continent.index) <= 1


def test_the_same_seed_gives_the_same_land(continent: Continent) -> None:
    """The same command would give two different sets."""
    again = draw(shape=(192, 256), years=YEARS, seed=0)
    np.testing.assert_array_equal(again.index, continent.index)
    other = draw(shape=(192, 256), years=YEARS, seed=1)
    assert not np.array_equal(np.isfinite(other.index), np.isfinite(continent.index))


@pytest.mark.slow
def test_files_have_the_format_of_the_published_ones(root: Path) -> None:
    """The tools would be tested on another format."""
    names = {path.name for path in root.iterdir()}
    assert {"HM_1990_1km.tif", "SRTM_Elevation_1km.tif", "HM_2020_gdp_1000.tiff"} <= names
    assert {"hm_static_iucn_strict_1000.tiff", "SYNTHETIC.txt", "split.json"} <= names
    with (
        rasterio.open(root / "HM_2020_1km.tif") as old,
        rasterio.open(root / "HM_2020_AA_1000.tiff") as new,
    ):
        assert (old.scales, old.nodata, old.dtypes) == ((1.0,), -32768, ("int16",))
        assert (new.scales, new.nodata, new.dtypes) == ((1e-4,), -32768, ("int16",))
        assert old.crs == new.crs == "EPSG:6933"
        assert old.compression.name == "deflate"
        np.testing.assert_array_equal(old.read(1), new.read(1))
        grid = Grid.of(new)
    region = Region.read(root / "region.geojson", grid)
    assert 0.1 < region.mask(region.window).sum() / (grid.height * grid.width) < 0.3


@pytest.mark.slow
def test_every_split_of_the_miniature_has_a_dozen_chips(tmp_path: Path) -> None:
    """Scores on the miniature would be random."""
    assert isinstance(MINIATURE, ContinentSettings)
    write(tmp_path, MINIATURE)
    for split in ("train", "val", "test", "calibration"):
        dataset = HumanModification(
            root=str(tmp_path), split=split, target="AA", chip_size=32, end_years=[2000]
        )
        assert len(dataset) >= 12
