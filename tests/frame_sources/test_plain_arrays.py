"""HDF5 and zarr written without xarray: groups, labels, axes without names."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
import zarr

from openstl_ext.errors import DataError
from openstl_ext.frame_sources import ReadOptions, open_source

VALUES = np.arange(120, dtype=np.uint8).reshape(2, 5, 3, 4)


def test_a_stack_without_names_is_time_rows_and_columns(tmp_path: Path) -> None:
    """The plainest HDF5 file would need an option."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["frames"] = VALUES[0]
        file["notes"] = "about"
        file["mean"] = 3.0
    source = open_source(tmp_path / "a.h5", ReadOptions())
    assert [s.num_frames for s in source.sequences] == [5]
    found = source.read(0, 1, 3)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[:, 0], VALUES[0, 1:3])


@pytest.mark.parametrize("suffix", [".h5", ".zarr"])
def test_four_axes_without_names_need_their_order(tmp_path: Path, suffix: str) -> None:
    """Samples would be taken for time steps, or channels for samples."""
    path = tmp_path / f"a{suffix}"
    last = VALUES.transpose(0, 2, 3, 1)
    if suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["storms/vil"] = last
    else:
        zarr.create_group(path).create_array("storms/vil", data=last)
    with pytest.raises(DataError, match=r"storms/vil: an array of 2 x 3 x 4 x 5 .*--axes"):
        open_source(path, ReadOptions())
    source = open_source(path, ReadOptions(axes="NHWT", variable="storms/vil"))
    assert [(s.name, s.num_frames) for s in source.sequences] == [("00000", 5), ("00001", 5)]
    assert source.channels[0].name == "vil"
    np.testing.assert_array_equal(source.read(1, 2, 5)[:, 0], VALUES[1, 2:])
    with pytest.raises(DataError, match="names 3 axes, but the array has 4"):
        open_source(path, ReadOptions(axes="THW", variable="storms/vil"))


def test_one_array_of_zarr_without_a_group_is_the_frames(tmp_path: Path) -> None:
    """The plainest store would be refused."""
    zarr.save_array(tmp_path / "a.zarr", VALUES[0])
    source = open_source(tmp_path / "a.zarr", ReadOptions(unit="mm"))
    assert str(source.channels[0]) == "a (mm)"
    np.testing.assert_array_equal(source.read(0, 0, 5)[:, 0], VALUES[0])
    assert source.frame_files(0)[-1].is_relative_to(tmp_path / "a.zarr")


def test_labels_scales_and_attributes_of_hdf5_apply(tmp_path: Path) -> None:
    """Files of agencies, made without netCDF, would lose their units, dates and gaps."""
    with h5py.File(tmp_path / "a.he5", "w") as file:
        data = file.create_dataset("grid/rain", data=VALUES[0].astype("i2"))
        data.attrs["units"] = np.bytes_(b"mm/h")
        data.attrs["_FillValue"] = np.array([7], "i2")
        data.attrs["scale_factor"] = np.array([0.25])
        data.attrs["comment"] = h5py.Empty("S1")
        times = file.create_dataset("grid/time", data=np.arange(5))
        times.attrs["units"] = "days since 2001-02-03"
        times.make_scale("time")
        data.dims[0].attach_scale(times)
        data.dims[1].label, data.dims[2].label = "lat", "lon"
    source = open_source(tmp_path / "a.he5", ReadOptions())
    assert str(source.channels[0]) == "rain (mm/h)"
    times = source.sequences[0].times
    assert times is not None
    assert times[[0, -1]].astype("M8[D]").astype(str).tolist() == ["2001-02-03", "2001-02-07"]
    expected = np.where(VALUES[0] == 7, np.nan, VALUES[0] * 0.25)
    np.testing.assert_array_equal(source.read(0, 0, 5)[:, 0], expected)
    assert source.layout.dims == ("time", "lat", "lon")  # type: ignore[attr-defined]


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_a_variable_in_a_group_is_named_by_its_path(tmp_path: Path, suffix: str) -> None:
    """Files with groups could not be read at all."""
    path = tmp_path / f"a{suffix}"
    data = xr.Dataset({"x": (("time", "y", "x"), VALUES[0])})
    if suffix == ".nc":
        data.to_netcdf(path, group="level2", engine="h5netcdf")
    else:
        data.to_zarr(path, group="level2", zarr_format=3, consolidated=False)
    source = open_source(path, ReadOptions(variable="level2/x"))
    np.testing.assert_array_equal(source.read(0, 0, 5)[:, 0], VALUES[0])
    with pytest.raises(DataError, match="has no group level3"):
        open_source(path, ReadOptions(variable="level3/x"))


def test_format_2_of_zarr_names_axes_by_an_attribute(tmp_path: Path) -> None:
    """Older stores would need --axes."""
    store = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    frames = store.create_array("rain", data=VALUES)
    frames.attrs["_ARRAY_DIMENSIONS"] = ["sample", "time", "y", "x"]
    store.create_array("other", data=np.zeros(3))  # without names, which xarray refuses
    source = open_source(tmp_path / "a.zarr", ReadOptions())
    np.testing.assert_array_equal(source.read(1, 0, 5)[:, 0], VALUES[1])


def test_numbers_that_are_not_real_are_an_error(tmp_path: Path) -> None:
    """Imaginary parts would be dropped with a warning."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["wave"] = np.zeros((2, 3, 4), complex)
    with pytest.raises(DataError, match="wave has type complex128"):
        open_source(tmp_path / "a.h5", ReadOptions(variable="wave"))


def test_the_only_array_of_a_store_with_groups_is_found_with_its_fill_value(
    tmp_path: Path,
) -> None:
    """Its fill value, which xarray writes as text, would be a value."""
    values = np.where(VALUES[0] == 7, np.nan, VALUES[0]).astype("f4")
    data = xr.Dataset({"x": (("time", "y", "x"), values)})
    encoding = {"x": {"_FillValue": np.float32(-1)}}
    data.to_zarr(
        tmp_path / "a.zarr", group="g", zarr_format=3, consolidated=False, encoding=encoding
    )
    source = open_source(tmp_path / "a.zarr", ReadOptions())
    np.testing.assert_array_equal(source.read(0, 0, 5)[:, 0], values)
