"""Pickles are read without running their code."""

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext.datasets.formats.safe_pickle import read_plain_pickle
from openstl_ext.errors import DataError

MEAN = np.array([[0.1], [0.2], [0.3]])


def stored(path: Path, value: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", "f2", "i8", "u1"])
def test_statistics_of_every_protocol_are_read(tmp_path: Path, protocol: int, dtype: str) -> None:
    """Published statistics could not be converted."""
    array = (MEAN * 100).astype(dtype)
    value = OrderedDict(
        mean=array,
        std=np.asfortranarray(array.repeat(2, axis=1)),
        n=3,
        k=np.float32(0.5),
        names=["a", None, True],
    )
    found = read_plain_pickle(stored(tmp_path / "a.pkl", value, protocol))
    assert list(found) == list(value)
    for name in ("mean", "std"):
        np.testing.assert_array_equal(found[name], value[name])
        assert found[name].dtype == value[name].dtype
    assert (found["n"], found["k"], found["names"]) == (3, 0.5, ["a", None, True])


def test_names_of_older_and_newer_numpy_are_allowed(tmp_path: Path) -> None:
    """A file would be readable with one version of numpy only."""
    data = pickle.dumps({"mean": MEAN}, protocol=2)
    for core in (b"numpy.core", b"numpy._core"):
        other = data.replace(b"numpy._core", core).replace(b"numpy.core", core)
        (tmp_path / "a.pkl").write_bytes(other)
        np.testing.assert_array_equal(read_plain_pickle(tmp_path / "a.pkl")["mean"], MEAN)


class Harm:
    """Runs a command when it is unpickled by pickle.load."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize(
    "harm",
    [
        Harm(os.system, "touch {}"),
        Harm(eval, "open({!r}, 'w')"),
        Harm(np.fromfile, "{}"),
        Harm(np.save, "{}", 1),
        Harm(getattr, "x", "upper"),
    ],
)
def test_no_code_of_a_pickle_is_run(tmp_path: Path, harm: Harm) -> None:
    """A downloaded file could run any command."""
    trace = tmp_path / "trace"
    harm.call = (harm.call[0], *(str(a).format(str(trace)) for a in harm.call[1:]))
    path = stored(tmp_path / "norm_stats.pkl", {"mean": harm})
    with pytest.raises(DataError, match=r"norm_stats\.pkl: .* is forbidden, and nothing was run"):
        read_plain_pickle(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([{}], object), "OBJECT array"),
        (np.array(["text"]), "U4 is not a number"),
        (np.array([(1, 2.0)], "i4,f8"), "V12 is not a number"),
        (np.float64, "numpy.float64 is forbidden"),
        (np.ndarray, "type is not a number"),
        ({1, 2}, "set"),
        (1 + 2j, "complex"),
        (b"x" * 2**21, "expected at most 1,048,576"),
    ],
)
def test_values_other_than_numbers_are_rejected(tmp_path: Path, value: Any, message: str) -> None:
    """An object would reach code that expects numbers."""
    with pytest.raises(DataError, match=message):
        read_plain_pickle(stored(tmp_path / "a.pkl", value))


def test_a_damaged_file_is_named_and_does_not_crash(tmp_path: Path) -> None:
    """A damaged byte would end in a traceback or crash the process."""
    path = stored(tmp_path / "a.pkl", {"mean": MEAN, "std": MEAN})
    data = path.read_bytes()
    chance = np.random.default_rng(0)
    rejected = []
    for place in chance.integers(0, len(data), 300).tolist():
        path.write_bytes(data[:place] + bytes([int(chance.integers(256))]) + data[place + 1 :])
        try:
            read_plain_pickle(path)
        except DataError as error:
            rejected.append(str(error))
    assert len(rejected) > 100
    assert all(str(path) in message for message in rejected)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="not a readable pickle"):
        read_plain_pickle(path)
