"""Frame files."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.formats.frame_file import frame_shape, list_frames, read_frame
from openstl_ext.errors import DataError

FRAME = np.arange(6.0).reshape(2, 3)
BROKEN = [
    *("truncated", "header", "shape", "missing"),
    *("pickled", "pickle", "complex", "flat", "no_values", "npz", "zip"),
]


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_frames_are_sorted_by_number(tmp_path: Path) -> None:
    """Frame 10 would follow frame 1, and a net would learn shuffled time."""
    for t in range(12):
        np.save(tmp_path / f"{t}.npy", FRAME)
    (tmp_path / "notes.txt").touch()
    assert [p.stem for p in list_frames(tmp_path)] == [str(t) for t in range(12)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((4, 5), (1, 4, 5)), ((3, 4, 5), (3, 4, 5)), ((2, 3, 4, 5), (6, 4, 5))],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("kind", ["float64", "float32", "uint8", "int64", "bool", ">f4"])
def test_all_real_number_types_become_float32(
    tmp_path: Path, shape: tuple, expected: tuple, suffix: str, kind: str
) -> None:
    """Data of other types would have to be converted first."""
    values = np.random.default_rng(0).integers(0, 2, shape).astype(kind)
    path = tmp_path / f"0{suffix}"
    if suffix == ".npy":
        np.save(path, np.asfortranarray(values))
    else:
        np.savez_compressed(path, data=values)
    frame = read_frame(path)
    assert frame.dtype == np.float32
    assert frame_shape(path) == frame.shape == expected
    np.testing.assert_array_equal(frame, values.reshape(expected).astype(np.float32))


def broken(kind: str, path: Path) -> Path:
    """Write an invalid frame."""
    np.save(path, FRAME)
    data = path.read_bytes()
    if kind == "truncated":
        path.write_bytes(data[:-1])
    elif kind == "header":
        path.write_bytes(data[:30])
    elif kind == "shape":
        path.write_bytes(data.replace(b"(2, 3)", b"(9**9)"))
    elif kind == "missing":
        path.unlink()
    elif kind == "pickled":
        np.save(path, np.array([[Trap(path.with_name("sprung"))]], dtype=object))
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(Trap(path.with_name("sprung"))))
    elif kind == "complex":
        np.save(path, FRAME.astype(complex))
    elif kind == "flat":
        np.save(path, FRAME.reshape(-1))
    elif kind == "no_values":
        np.save(path, np.zeros((0, 3)))
    elif kind == "npz":
        path.unlink()
        path = path.with_suffix(".npz")
        np.savez(path, other=FRAME)
    elif kind == "zip":
        path.unlink()
        path = path.with_suffix(".npz")
        path.write_bytes(b"PK\x03\x04 and nothing more")
    return path


@pytest.mark.parametrize("kind", BROKEN)
def test_a_bad_file_is_named_with_its_sample_and_runs_no_code(tmp_path: Path, kind: str) -> None:
    """A broken download would end in a traceback, or a malicious one would run code."""
    folder = tmp_path / "sample_a"
    folder.mkdir()
    path = broken(kind, folder / "3.npy")
    for read in (read_frame, frame_shape):
        with pytest.raises(DataError, match=r"sample_a[/\\]3\..* \(sample sample_a\)"):
            read(path)
    assert not (folder / "sprung").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_rejected(tmp_path: Path, value: float) -> None:
    """One NaN would make every weight NaN."""
    np.save(tmp_path / "0.npy", np.array([[0.0, value]]))
    with pytest.raises(DataError, match="1 of 2 values are NaN or infinite"):
        read_frame(tmp_path / "0.npy")


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (["0", "2"], r"1\.npy.*missing"),
        (["0", "1", "01"], "same number"),
        (["0", "first"], "not a number"),
        (["0", "-1"], "not a number"),
        ([], "no frames"),
    ],
)
def test_folders_with_gaps_or_other_names_are_rejected(
    tmp_path: Path, names: list[str], match: str
) -> None:
    """A gap would be used as one time step."""
    for name in names:
        np.save(tmp_path / f"{name}.npy", FRAME)
    with pytest.raises(DataError, match=match):
        list_frames(tmp_path)
