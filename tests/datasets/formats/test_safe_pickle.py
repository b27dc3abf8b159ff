"""A pickle that is read without being run."""

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
def test_statistics_of_any_protocol_come_out_as_they_went_in(
    tmp_path: Path, protocol: int, dtype: str
) -> None:
    """If this fails, published statistics cannot be taken over."""
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


def test_names_of_older_and_newer_numpy_are_known(tmp_path: Path) -> None:
    """If this fails, a file depends on the numpy that wrote it."""
    data = pickle.dumps({"mean": MEAN}, protocol=2)
    for core in (b"numpy.core", b"numpy._core"):
        other = data.replace(b"numpy._core", core).replace(b"numpy.core", core)
        (tmp_path / "a.pkl").write_bytes(other)
        np.testing.assert_array_equal(read_plain_pickle(tmp_path / "a.pkl")["mean"], MEAN)


class Harm:
    """Runs a command when it is unpickled as usual."""

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
def test_nothing_that_a_pickle_says_is_run(tmp_path: Path, harm: Harm) -> None:
    """If this fails, a file from the internet owns the machine."""
    trace = tmp_path / "trace"
    harm.call = (harm.call[0], *(str(a).format(str(trace)) for a in harm.call[1:]))
    path = stored(tmp_path / "norm_stats.pkl", {"mean": harm})
    with pytest.raises(DataError, match=r"norm_stats\.pkl: it asks for .*nothing was run"):
        read_plain_pickle(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([{}], object), "type 'O8'"),
        (np.array(["text"]), "type 'U4'"),
        (np.array([(1, 2.0)], "i4,f8"), "type 'V12'"),
        (np.float64, "asks for numpy.float64"),
        (np.ndarray, "holds a type"),
        ({1, 2}, "set"),
        (1 + 2j, "complex"),
        (b"x" * 2**21, "too many for statistics"),
    ],
)
def test_what_is_no_number_is_refused(tmp_path: Path, value: Any, message: str) -> None:
    """If this fails, an object slips through to code that trusts it."""
    with pytest.raises(DataError, match=message):
        read_plain_pickle(stored(tmp_path / "a.pkl", value))


def test_damage_is_told_and_does_not_end_the_process(tmp_path: Path) -> None:
    """If this fails, one wrong byte is a traceback, or a crash."""
    path = stored(tmp_path / "a.pkl", {"mean": MEAN, "std": MEAN})
    whole = path.read_bytes()
    chance = np.random.default_rng(0)
    refused = []
    for place in chance.integers(0, len(whole), 300).tolist():
        path.write_bytes(whole[:place] + bytes([int(chance.integers(256))]) + whole[place + 1 :])
        try:
            read_plain_pickle(path)
        except DataError as error:
            refused.append(str(error))
    assert len(refused) > 100
    assert all(str(path) in message for message in refused)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="not a readable pickle"):
        read_plain_pickle(path)
