"""Files of channel statistics."""

import json
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.statistics import ChannelStatistics, Statistics

FRAMES = ChannelStatistics(names=("red", "nir"), mean=(1.0, 2.0), std=(3.0, 4.0), count=(5, 6))


def test_statistics_are_read_as_written(tmp_path: Path) -> None:
    """Data would be normalised by other numbers than those that were computed."""
    path = tmp_path / "statistics.json"
    Statistics(groups={"frames": FRAMES}, about={"years": [2000]}).write(path)
    found = Statistics.read(path, prepare="make it")
    assert dict(found.groups) == {"frames": FRAMES}
    assert found.about == {"years": [2000]}
    assert found.of("frames", ["red", "nir"], path=path) == FRAMES


def test_other_channels_or_another_order_are_rejected(tmp_path: Path) -> None:
    """A channel would be normalised by the statistics of another one."""
    found = Statistics(groups={"frames": FRAMES})
    with pytest.raises(DataError, match=r"are of red, nir, but the data have nir, red"):
        found.of("frames", ["nir", "red"], path=tmp_path)
    with pytest.raises(DataError, match="no statistics of static"):
        found.of("static", ["height"], path=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "Expected `object`"),
        ({"about": {}}, "has none of frames, dynamic, static"),
        ({"frames": {"names": ["a"], "mean": [0]}}, r"required field `std`.*\$\.frames"),
        ({"frames": {"names": ["a"], "mean": ["0"], "std": [1]}}, r"\$\.frames\.mean\[0\]"),
        ({"frames": {"names": ["a"], "mean": [0], "std": [1, 2]}}, "1 names, 1 means and 2"),
        ({"frames": {"names": ["a"], "mean": [0], "std": [0]}}, "std of a is 0.0"),
    ],
)
def test_invalid_files_are_named_with_the_field(tmp_path: Path, content: Any, message: str) -> None:
    """A net would be trained on wrongly normalised data."""
    path = tmp_path / "statistics.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=rf"statistics\.json: .*{message}"):
        Statistics.read(path, prepare="make it")


def test_a_missing_file_or_a_pickle_is_answered_with_a_command(tmp_path: Path) -> None:
    """A pickle would run code, and a missing file would end in a traceback."""
    with pytest.raises(DatasetNotFoundError, match="make it"):
        Statistics.read(tmp_path / "statistics.json", prepare="make it")
    with pytest.raises(DataError, match=r"a pickle can run code .* convert"):
        Statistics.read(tmp_path / "norm_stats.pkl", prepare="make it")
