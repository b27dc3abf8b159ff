"""Rasters with fill values, without data, or of an undeclared range."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.human_modification.dataset import HumanModification
from openstl_ext.datasets.human_modification.rasters import HMChoice
from openstl_ext.datasets.human_modification.report import verify
from openstl_ext.datasets.human_modification.statistics import find_values, measure_training
from openstl_ext.errors import DataError
from tests.commands.test_data import call as run_data
from tests.datasets.human_modification.rasters_folder import (
    NODATA,
    SHAPE,
    YEARS,
    index_of,
    write_year,
)

CHOICE = HMChoice(target="AA", dynamic=("AG",), static=("tas",))
call = partial(run_data, "human-modification")


@pytest.mark.parametrize("name", ["AA", "AG"])
@pytest.mark.parametrize("fill", [-9999.0, -3.4e38, 1e20])
def test_a_fill_value_without_a_tag_is_refused_everywhere(
    root: Path, name: str, fill: float
) -> None:
    """A covariate of -3.4e38 would become part of statistics, training and maps."""
    values = index_of(2005)
    values[:, :9] = fill
    path = write_year(root, name, 2005, values)
    with pytest.raises(DataError, match=rf"{path.name}: .* fill value"):
        measure_training(root, CHOICE)
    with pytest.raises(DataError, match=rf"{path.name}: .* fill value"):
        verify(root, CHOICE, chip_size=4)
    dataset = HumanModification(
        root=str(root), split="train", target="AA", dynamic=["AG"], mode="random", chip_size=6
    )
    with pytest.raises(DataError, match=rf"{path.name}: .* fill value"):
        [dataset[index] for index in range(len(dataset))]


def test_a_year_without_data_is_reported(root: Path) -> None:
    """A dataset would have fewer samples without a word."""
    path = write_year(root, "AA", 1990, np.full(SHAPE, np.nan), nodata=NODATA)
    with pytest.warns(UserWarning, match=rf"{path.name} has no data in split 'train'"):
        HumanModification(root=str(root), split="train", target="AA", chip_size=4)
    with pytest.warns(UserWarning, match="no pixel of 1990 has data"):
        measure_training(root, CHOICE)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (index_of(2020), "0-1"),
        (np.zeros(SHAPE), "0-1"),
        (np.rint(index_of(2020) * 10_000), "0-10000"),
        (np.where(index_of(2020) > 0.5, 255, index_of(2020)), "0-1"),
    ],
)
def test_the_range_of_the_target_is_found(root: Path, values: np.ndarray, expected: str) -> None:
    """The documented commands would fail on rasters from 0 to 10000."""
    write_year(root, "AA", YEARS[-1], values, nodata=NODATA)
    assert find_values(root, CHOICE) == expected


def test_a_value_outside_the_range_names_the_option(root: Path) -> None:
    """A user of the tool would be told of a config that does not exist."""
    write_year(root, "AA", 2000, np.full(SHAPE, 255.0), nodata=NODATA)
    which = ("--root", root, "--version", "direct", "--dynamic", "AG", "--static", "tas")
    with pytest.raises(SystemExit, match=r"AA_1000\.tiff: 255 at .*--values of the tool"):
        call("statistics", *which)
