"""Series of GeoTIFFs, written by rasterio, as frames."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.errors import DataError
from openstl_ext.frame_sources import ReadOptions, open_source
from openstl_ext.frame_sources.dates_in_names import dates_of
from tests.rasters.files import NORTH_UP, grid_of, write_tif

VALUES = np.arange(3 * 2 * 12 * 16, dtype=np.int16).reshape(3, 2, 12, 16)


def write_series(folder: Path, names: tuple[str, ...], **settings: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, bands in zip(names, VALUES, strict=False):
        write_tif(folder / name, bands, **settings)  # type: ignore[arg-type]
    return folder


def test_dates_bands_and_georeference_of_a_series(tmp_path: Path) -> None:
    """Bands would be taken for dates, or the dates be lost."""
    names = ("S2_2020-03-01.tif", "S2_2020-02-01.tif", "S2_2020-02-11.tif")
    folder = write_series(tmp_path / "area", names, descriptions=("red edge", "nir"))
    source = open_source(folder, ReadOptions())
    assert [c.name for c in source.channels] == ["red_edge", "nir"]
    assert (source.size, source.dtype) == ((12, 16), np.int16)
    (sequence,) = source.sequences
    assert sequence.name == "area"
    assert sequence.times is not None
    assert sequence.times.astype(str).tolist() == ["2020-02-01", "2020-02-11", "2020-03-01"]
    found = source.read(0, 0, 3)
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, VALUES[[1, 2, 0]])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(source)).read(0, 1, 2), VALUES[2:3])
    assert source.grids == (grid_of(),)  # type: ignore[attr-defined]
    assert source.frame_files(0)[0].name == "S2_2020-02-01.tif"


def test_nodata_is_missing_and_scale_applies(tmp_path: Path) -> None:
    """Reflectances would be thousands, clouds a value."""
    folder = write_series(tmp_path, ("2019.tif", "2020.tif"), nodata=5, scale=0.5, offset=1)
    source = open_source(folder, ReadOptions())
    expected = np.where(VALUES[:2] == 5, np.nan, VALUES[:2] * 0.5 + 1)
    np.testing.assert_array_equal(source.read(0, 0, 2), expected)
    assert [c.name for c in source.channels] == ["band1", "band2"]


def test_nodata_can_be_stated(tmp_path: Path) -> None:
    """Files without a tag would have to be written again."""
    folder = write_series(tmp_path, ("a1.tif", "a2.tif"))
    found = open_source(folder, ReadOptions(nodata=7, every=2, unit="m")).read(0, 0, 1)
    np.testing.assert_array_equal(found, np.where(VALUES[:1] == 7, np.nan, VALUES[:1]))


def test_folders_are_sequences_on_grids_of_their_own(tmp_path: Path) -> None:
    """Two areas would be taken for one series."""
    write_series(tmp_path / "b", ("1.tif", "2.tif"))
    east = (0.5, 0.0, 90.0, 0.0, -0.5, 50.0)
    write_series(tmp_path / "a", ("1.tif", "2.tif", "10.tif"), transform=east)
    source = open_source(tmp_path, ReadOptions())
    assert [(s.name, s.num_frames, s.times) for s in source.sequences] == [
        ("a", 3, None),
        ("b", 2, None),
    ]
    np.testing.assert_array_equal(source.read(0, 2, 3), VALUES[2:])  # 10 after 2
    assert [grid.transform for grid in source.grids] == [east, NORTH_UP]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"transform": (0.5, 0.0, 11.0, 0.0, -0.5, 50.0)}, "differ in transform"),
        ({"crs": "EPSG:32632"}, "differ in CRS"),
        ({"descriptions": ("a", "b")}, r"2021.tif: has the bands a int16, b int16, .*2020.tif has"),
    ],
)
def test_two_files_that_differ_are_named(
    tmp_path: Path, change: dict[str, object], expected: str
) -> None:
    """Pixels of two places would be compared over time."""
    write_series(tmp_path, ("2020.tif",))
    write_series(tmp_path, ("2021.tif",), **change)
    with pytest.raises(DataError, match=expected) as caught:
        open_source(tmp_path, ReadOptions())
    assert "2020.tif" in str(caught.value)
    assert "2021.tif" in str(caught.value)


def test_files_of_two_sizes_and_numbers_of_bands_are_named(tmp_path: Path) -> None:
    """The second one would fail in the middle of an epoch."""
    write_tif(tmp_path / "2020.tif", VALUES[0])
    write_tif(tmp_path / "2021.tif", VALUES[0, :, :8])
    with pytest.raises(DataError, match=r"2021.tif and .*2020.tif differ in size"):
        open_source(tmp_path, ReadOptions())
    write_tif(tmp_path / "2021.tif", VALUES[0, :1])
    with pytest.raises(DataError, match=r"2021.tif: has the bands band1 int16, .*band2"):
        open_source(tmp_path, ReadOptions())


def test_areas_of_two_sizes_and_files_beside_areas_are_refused(tmp_path: Path) -> None:
    """A batch could not be made of them."""
    write_series(tmp_path / "a", ("2020.tif",))
    (tmp_path / "b").mkdir()
    write_tif(tmp_path / "b" / "2020.tif", VALUES[0, :, :8])
    with pytest.raises(DataError, match=r"b/2020.tif: 8 x 16 pixels, .*a/2020.tif has 12 x 16"):
        open_source(tmp_path, ReadOptions())
    write_series(tmp_path, ("2020.tif",))
    with pytest.raises(DataError, match="beside folders of GeoTIFFs"):
        open_source(tmp_path, ReadOptions())


def test_one_file_is_no_series(tmp_path: Path) -> None:
    """The remedy would be to be guessed."""
    path = write_tif(tmp_path / "a.tif", VALUES[0])
    with pytest.raises(DataError, match="give the folder"):
        open_source(path, ReadOptions())


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["2001", "1999"], ["2001", "1999"]),
        (["tp_200102", "tp_200101"], ["2001-02", "2001-01"]),
        (["x_2001_12_31", "x_2001_12_30"], ["2001-12-31", "2001-12-30"]),
        (["MOD13.A2001032.h18", "MOD13.A2001048.h18"], ["2001-02-01", "2001-02-17"]),
        (["T32_20200101T1030", "T32_20200101T1130"], ["2020-01-01T10:30", "2020-01-01T11:30"]),
        (["20200101103015", "20200101103016"], ["2020-01-01T10:30:15", "2020-01-01T10:30:16"]),
        (["a_20200101_20240507", "a_20200102_20240507"], ["2020-01-01", "2020-01-02"]),
        (["v2024_20200101", "v2024_20200102"], ["2020-01-01", "2020-01-02"]),
        (["20201301", "20201302"], None),  # no month 13
        (["tile_2048_1", "tile_2048_2"], None),
        (["b1", "b2"], None),
    ],
)
def test_dates_are_found_in_names(names: list[str], expected: list[str] | None) -> None:
    """Frames would be in the order of their names, or have the date of their production."""
    found = dates_of([Path(f"{name}.tif") for name in names])
    assert (None if found is None else found.astype(str).tolist()) == expected


def test_a_file_without_a_date_and_two_of_one_date_are_errors() -> None:
    """A mask beside the frames would become a frame."""
    with pytest.raises(DataError, match=r"mask.tif: has no date .* 2001.tif has"):
        dates_of([Path(f"{name}.tif") for name in ("2001", "2002", "mask")])
    with pytest.raises(DataError, match=r"a_20200101.tif and b_20200101.tif have the same date"):
        dates_of([Path(f"{name}.tif") for name in ("a_20200101", "b_20200101", "a_20200102")])
