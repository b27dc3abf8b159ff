"""Outputs are complete or absent, whatever happens to the disk or to the process."""

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from openstl_ext import atomic_io
from openstl_ext.atomic_io import (
    append_line,
    aside,
    atomic_file,
    atomic_folder,
    atomic_path,
    atomic_write,
    atomic_write_hashed,
    save_array,
)
from openstl_ext.errors import DISK_FULL, PATH_REMEDIES, DiskFullError, sentence_of
from tests.faults.disk import snapshot, with_limit

BIG = b"x" * 100_000


def write_bytes(path: Path) -> None:
    atomic_write(path, BIG)


def write_array(path: Path) -> None:
    with atomic_file(path) as file:
        np.save(file, np.zeros(50_000))


def write_tensors(path: Path) -> None:
    atomic_write_hashed(path, lambda file: torch.save({"a": torch.zeros(50_000)}, file))


def write_by_name(path: Path) -> None:
    with atomic_path(path, suffix=".npy") as part:
        np.save(part, np.zeros(50_000))


def write_folder(path: Path) -> None:
    with atomic_folder(path) as part:
        np.save(part / "0.npy", np.zeros(10))
        np.save(part / "1.npy", np.zeros(50_000))


WRITERS = [write_bytes, write_array, write_tensors, write_by_name, write_folder]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("limit", [0, 1, 200, 60_000])
@pytest.mark.parametrize("existing", [False, True])
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, write: Callable[[Path], None], limit: int, existing: bool
) -> None:
    """The next program would read half a file, or the earlier one would be lost."""
    path = tmp_path / "out"
    if existing:
        write(path)
    before = snapshot(tmp_path)
    with pytest.raises(DiskFullError, match="out was not written"), with_limit(limit):
        write(path)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("number", sorted(PATH_REMEDIES))
def test_every_error_of_the_disk_names_the_file_and_a_remedy(
    tmp_path: Path, write: Callable[[Path], None], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user would read a traceback of the standard library."""

    def fail(self: Path, *_: object) -> None:
        raise OSError(number, os.strerror(number), str(self))

    path = tmp_path / "out"
    monkeypatch.setattr(Path, "replace", fail)
    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="out") as caught:
        write(path)
    assert snapshot(tmp_path) == {}
    message = sentence_of(caught.value)
    assert message is not None
    assert str(path) in message
    assert atomic_io.PART not in message
    assert "\n" not in message
    assert number in DISK_FULL or PATH_REMEDIES[number] in message


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("length", [1, 250, 251, 255])
def test_every_name_works_that_the_file_system_takes(
    tmp_path: Path, write: Callable[[Path], None], length: int
) -> None:
    """An output would fail because its temporary name is longer than its own."""
    write(tmp_path / ("n" * length))
    assert set(os.listdir(tmp_path)) == {"n" * length}


def test_a_name_that_is_too_long_is_one_sentence(tmp_path: Path) -> None:
    """A user would read a traceback."""
    with pytest.raises(OSError, match="too long") as caught:
        atomic_write(tmp_path / ("n" * 256), b"")
    assert "choose a shorter name" in str(sentence_of(caught.value))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("folder", [False, True])
def test_two_writers_of_one_output_do_not_meet(tmp_path: Path, folder: bool) -> None:
    """Two processes would write into one temporary file, and the result would be a mixture."""
    path = tmp_path / "out"
    write = atomic_folder if folder else atomic_path
    with write(path) as one, write(path) as other:
        assert one != other
        assert {one.parent, other.parent} == {tmp_path}
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("folder", [False, True])
def test_what_a_killed_process_left_is_used_again(tmp_path: Path, folder: bool) -> None:
    """Each killed run would leave a file of full size for ever."""
    path = tmp_path / "out"
    write = atomic_folder if folder else atomic_path
    with write(path) as part:
        pass
    left = part  # the name that a killed process would have used
    if folder:
        left.mkdir()
        (left / "0.npy").write_bytes(BIG)
        (left / "deep").mkdir()
    else:
        left.write_bytes(BIG)
    with write(path) as again:
        assert again == left
        assert not (os.listdir(again) if folder else again.stat().st_size)
    assert os.listdir(tmp_path) == ["out"]


def test_without_locks_the_temporary_names_are_random(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows and on some network disks two processes would share a temporary file."""
    monkeypatch.setattr(atomic_io, "fcntl", None)
    with atomic_path(tmp_path / "out") as one, atomic_path(tmp_path / "out") as other:
        assert one != other
    assert os.listdir(tmp_path) == ["out"]


def test_an_interrupted_replacement_of_a_folder_is_undone(tmp_path: Path) -> None:
    """A kill between two renames would lose the earlier set."""
    path = tmp_path / "out"
    write_folder(path)
    path.rename(aside(path))
    with pytest.raises(KeyboardInterrupt), atomic_folder(path):
        raise KeyboardInterrupt
    assert sorted(os.listdir(path)) == ["0.npy", "1.npy"]
    write_folder(path)
    assert os.listdir(tmp_path) == ["out"]


def test_a_symbolic_link_keeps_its_name(tmp_path: Path) -> None:
    """Writing to a link would leave the file that it names unchanged."""
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    atomic_write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("limit", [0, 3, 8])
def test_an_appended_line_is_complete_or_absent(tmp_path: Path, limit: int) -> None:
    """Half a line would join the next one, and both would be lost."""
    path = tmp_path / "lines"
    append_line(path, "one")
    with pytest.raises(DiskFullError, match="lines"), with_limit(limit):
        append_line(path, "a long line")
    assert path.read_text() == "one\n"
    append_line(path, "two")
    assert path.read_text() == "one\ntwo\n"


def test_an_error_of_an_input_keeps_its_name(tmp_path: Path) -> None:
    """A missing input would be reported as an output that cannot be written."""
    with pytest.raises(FileNotFoundError, match="input"), atomic_file(tmp_path / "out"):
        (tmp_path / "input").read_bytes()


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_an_error_that_torch_wraps_is_found(tmp_path: Path, number: int) -> None:
    """A disk error in torch.save would be a traceback of its zip writer."""

    @contextmanager
    def wrapped() -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RuntimeError("PytorchStreamWriter failed writing file") from error

    path = tmp_path / "out"
    with pytest.raises(OSError, match="out") as caught, atomic_file(path), wrapped():
        raise OSError(number, os.strerror(number))
    assert caught.value.errno == number


def test_the_limit_of_the_tests_is_removed() -> None:
    """Later tests would fail."""
    with with_limit(0):
        pass
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.mark.parametrize("limit", range(0, 1300, 100))
def test_a_short_array_is_never_cut_off_in_silence(tmp_path: Path, limit: int) -> None:
    """numpy.save would end without an error, and a forecast would lack its last rows."""
    array = np.arange(140.0)
    with pytest.raises(DiskFullError), with_limit(limit), atomic_folder(tmp_path / "out") as part:
        save_array(part / "0.npy", array)
    with pytest.raises(DiskFullError), with_limit(limit), atomic_file(tmp_path / "a") as file:
        np.save(file, array)
    assert snapshot(tmp_path) == {}


def test_arrays_are_read_back(tmp_path: Path) -> None:
    """A saved array would have other values."""
    for number, array in enumerate((np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3).T)):
        save_array(tmp_path / f"{number}.npy", array)
        np.testing.assert_array_equal(np.load(tmp_path / f"{number}.npy"), array)
