"""Variables of netCDF, HDF5 and zarr as sources of frames."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from openstl_ext.errors import DataError, UserError
from openstl_ext.frame_sources import ReadOptions, open_source
from tests.frame_sources.grids import DAYS, KELVIN, LAT, LON, PACKED, expected, temperatures, write

SUFFIXES = (".nc", ".nc3", ".h5", ".zarr")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_packed_values_are_read_in_their_unit_with_dates(tmp_path: Path, suffix: str) -> None:
    """A model would be trained on stored integers, with -32767 for the sea."""
    source = open_source(write(tmp_path / f"a{suffix}", temperatures(), **PACKED), ReadOptions())
    assert list(map(str, source.channels)) == ["t2m (K)"]
    assert (source.size, source.dtype) == ((3, 4), np.int16)
    (sequence,) = source.sequences
    assert (sequence.name, sequence.num_frames) == ("a", 5)
    np.testing.assert_array_equal(sequence.times, DAYS)
    found = source.read(0, 0, 5)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected())
    np.testing.assert_array_equal(source.read(0, 3, 4), expected()[3:4])
    copy = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(copy.read(0, 1, 3), expected()[1:3])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_integers_without_scale_and_fill_value_stay_integers(tmp_path: Path, suffix: str) -> None:
    """Bytes would take four times the space after an import."""
    counts = np.arange(60, dtype=np.int16).reshape(5, 3, 4)
    data = temperatures().assign(t2m=(("time", "lat", "lon"), counts))
    source = open_source(write(tmp_path / f"a{suffix}", data), ReadOptions())
    found = source.read(0, 1, 5)
    assert found.dtype == np.int16
    assert found.dtype.isnative
    np.testing.assert_array_equal(found[:, 0], counts[1:])


def test_every_second_day_has_its_own_date(tmp_path: Path) -> None:
    """Frames and dates would be of different days."""
    path = write(tmp_path / "a.nc", temperatures())
    source = open_source(path, ReadOptions(every=2))
    np.testing.assert_array_equal(source.sequences[0].times, DAYS[::2])
    np.testing.assert_array_equal(source.read(0, 1, 3), expected()[2::2])


def test_levels_and_bands_become_channels(tmp_path: Path) -> None:
    """Channels would have no names, or the levels those of other variables."""
    values = np.arange(120.0).reshape(5, 2, 3, 4)
    dims = ("time", "level", "latitude", "longitude")
    data = xr.Dataset({"z": (dims, values)}, coords={"level": [500, 850], "time": DAYS})
    data["time"] = data["time"].astype("datetime64[ns]")
    source = open_source(write(tmp_path / "a.nc", data), ReadOptions())
    assert [c.label for c in source.channels] == ["z500", "z850"]
    np.testing.assert_array_equal(source.read(0, 0, 5), values)
    last = data.transpose("time", "latitude", "longitude", "level").rename(level="band")
    last["band"] = ["red edge", "nir"]
    source = open_source(write(tmp_path / "b.zarr", last), ReadOptions(unit="m"))
    assert list(map(str, source.channels)) == ["red_edge (m)", "nir (m)"]
    np.testing.assert_array_equal(source.read(0, 0, 5), values)
    chosen = open_source(tmp_path / "b.zarr", ReadOptions(channels=("a", "b")))
    assert [c.name for c in chosen.channels] == ["a", "b"]
    with pytest.raises(DataError, match=r"z has 2 channels, but --channels names 1: a"):
        open_source(tmp_path / "b.zarr", ReadOptions(channels=("a",)))


def test_an_axis_of_samples_becomes_sequences_and_one_of_length_1_is_left_out(
    tmp_path: Path,
) -> None:
    """Samples would follow each other as if they were one time series."""
    values = np.arange(120.0).reshape(2, 5, 1, 3, 4)
    data = xr.Dataset({"rain": (("event", "time", "member", "y", "x"), values)})
    data["event"] = ["storm a", "b"]
    source = open_source(write(tmp_path / "a.nc", data), ReadOptions())
    assert [s.name for s in source.sequences] == ["storm_a", "b"]
    assert source.sequences[0].times is None
    np.testing.assert_array_equal(source.read(1, 2, 4), values[1, 2:4])


def test_one_of_several_variables_is_chosen_by_name(tmp_path: Path) -> None:
    """The first variable of a file would be taken for the wanted one."""
    data = temperatures()
    data["tp"] = data["t2m"] * 2
    data["height"] = data["t2m"][0]
    path = write(tmp_path / "a.nc", data)
    with pytest.raises(DataError, match=r"several variables: t2m \(time 5, .*; tp .*--variable"):
        open_source(path, ReadOptions())
    found = open_source(path, ReadOptions(variable="tp"))
    np.testing.assert_array_equal(found.read(0, 0, 5), 2 * expected())
    with pytest.raises(DataError, match="has no variable 'tpp'; did you mean 'tp'"):
        open_source(path, ReadOptions(variable="tpp"))
    with pytest.raises(DataError, match=r"height has the axes lat 3, lon 4 and no axis of time"):
        open_source(path, ReadOptions(variable="height"))
    write(tmp_path / "b.nc", data[["height"]])
    with pytest.raises(DataError, match="no variable has the axes time, rows and columns"):
        open_source(tmp_path / "b.nc", ReadOptions())


def test_the_order_of_axes_can_be_stated(tmp_path: Path) -> None:
    """Members of an ensemble would be taken for time."""
    data = xr.Dataset(
        {"x": (("member", "time", "lat", "lon"), np.arange(24.0).reshape(2, 3, 2, 2))}
    )
    path = write(tmp_path / "a.nc", data)
    with pytest.raises(DataError, match=r"the axis member of variable x .*--axes, such as TCHW"):
        open_source(path, ReadOptions())
    source = open_source(path, ReadOptions(axes="NTHW"))
    assert len(source.sequences) == 2
    np.testing.assert_array_equal(source.read(1, 0, 3)[:, 0], data["x"].values[1])


def test_dates_out_of_order_are_an_error_with_both_dates(tmp_path: Path) -> None:
    """The past would be forecast from the future."""
    data = temperatures().isel(time=[0, 2, 1, 3])
    path = write(tmp_path / "a.nc", data)
    with pytest.raises(
        DataError, match="out of order, 2000-02-29 at position 1 is followed by 2000-02-28"
    ):
        open_source(path, ReadOptions())
    write(tmp_path / "b.nc", temperatures().isel(time=[0, 1, 1]))
    with pytest.raises(DataError, match="2000-02-28 at position 1 is followed by 2000-02-28"):
        open_source(tmp_path / "b.nc", ReadOptions())


def test_dates_of_another_calendar_are_an_error(tmp_path: Path) -> None:
    """Thirtieths of February would be left out, or shift all later dates."""
    data = temperatures().assign_coords(
        time=("time", np.arange(5), {"units": "days since 2000-01-01", "calendar": "360_day"})
    )
    with pytest.raises(DataError, match=r"calendar 360_day.*setcalendar"):
        open_source(write(tmp_path / "a.nc", data), ReadOptions())


def test_years_and_numbers_as_times(tmp_path: Path) -> None:
    """Years would be lost; plain numbers would become dates."""
    years = temperatures().assign_coords(time=[1990, 1995, 2000, 2005, 2010])
    path = write(tmp_path / "a.nc", years.rename(time="year"))
    times = open_source(path, ReadOptions()).sequences[0].times
    assert times is not None
    assert times.astype(str).tolist() == ["1990", "1995", "2000", "2005", "2010"]
    path = write(tmp_path / "b.nc", years)
    assert open_source(path, ReadOptions()).sequences[0].times is None


def test_a_fill_value_that_is_not_declared_is_an_error(tmp_path: Path) -> None:
    """A temperature of -9999 would pull the mean of a training."""
    values = KELVIN.copy()
    values[1] = -9999
    path = write(tmp_path / "a.nc", temperatures().assign(t2m=(("time", "lat", "lon"), values)))
    source = open_source(path, ReadOptions())
    with pytest.raises(DataError, match=r"frames 0 to 4: 12 of 60 .* -9999.*--nodata"):
        source.read(0, 0, 5)
    found = open_source(path, ReadOptions(nodata=-9999)).read(0, 0, 5)
    assert np.isnan(found).sum() == 12
    assert np.isnan(found[1]).all()
    assert open_source(path, ReadOptions(nodata=np.nan)).read(0, 1, 2).min() == -9999


def test_two_kinds_of_missing_values_are_both_missing(tmp_path: Path) -> None:
    """One of them would be a value."""
    values = np.arange(60, dtype=np.int16).reshape(5, 3, 4)
    data = temperatures().assign(
        t2m=(
            ("time", "lat", "lon"),
            values,
            {"_FillValue": np.int16(3), "missing_value": np.int16(5)},
        )
    )
    found = open_source(write(tmp_path / "a.nc", data), ReadOptions()).read(0, 0, 5)
    assert np.flatnonzero(np.isnan(found)).tolist() == [3, 5]


def test_the_coordinates_of_the_pixels_are_kept(tmp_path: Path) -> None:
    """A forecast could not be written on the grid of its input."""
    data = temperatures(grid_mapping="crs", coordinates="area")
    data["crs"] = ((), 0, {"grid_mapping_name": "latitude_longitude"})
    data["area"] = (("lat", "lon"), np.ones((3, 4)))
    data["lat_bnds"] = (("lat", "bnds"), np.zeros((3, 2)))
    layout = open_source(write(tmp_path / "a.nc", data), ReadOptions()).layout  # type: ignore[attr-defined]
    assert (layout.order, layout.dims) == ("THW", ("time", "lat", "lon"))
    assert set(layout.coordinates) == {"lat", "lon", "crs", "area"}
    np.testing.assert_array_equal(layout.coordinates["lat"].values, LAT)
    np.testing.assert_array_equal(layout.coordinates["lon"].values, LON)
    assert layout.coordinates["lat"].attrs["units"] == "degrees_north"
    assert layout.attrs["long_name"] == "air"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.nc", b"no netCDF", "is not netCDF 3 or 4"),
        ("a.nc", b"\x89HDF\r\n\x1a\n" + bytes(50), "is damaged or of another format"),
        ("a.h5", b"no HDF5", "is damaged or of another format"),
    ],
)
def test_a_damaged_file_is_an_error(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    """The traceback of a library would take the place of the reason."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=expected):
        open_source(tmp_path / name, ReadOptions())


@pytest.mark.parametrize(
    ("suffix", "package"), [(".nc", "h5netcdf"), (".h5", "h5py"), (".zarr", "zarr")]
)
def test_an_absent_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, package: str
) -> None:
    """An ImportError would end the command with a traceback."""
    path = write(tmp_path / f"a{suffix}", temperatures())
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(UserError, match=f"files need .*: pip install .*{package}"):
        open_source(path, ReadOptions())
