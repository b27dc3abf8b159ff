"""Locks between processes, and what remains of them."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openstl_ext import cli
from openstl_ext.errors import FolderInUseError, UserError
from openstl_ext.folder_lock import LOCK, FolderLock, sole_writer


def lock(folder: Path) -> FolderLock:
    return FolderLock(folder, "test", remedy="use another --work-dir")


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that locks ``tmp_path / "run"``, and has a forked worker without end."""
    code = f"""
import os, sys, time
from openstl_ext.folder_lock import FolderLock
FolderLock({str(tmp_path / "run")!r}, "training", remedy="").acquire()
worker = os.fork()
if worker: print(worker, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        worker = int(other.stdout.readline())
        yield other
        other.kill()
        os.kill(worker, signal.SIGKILL)


def test_another_process_is_refused_and_the_holder_named(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Two trainings would overwrite each other's checkpoints."""
    message = rf"run is in use by a training \(process {holder.pid} on .*, since .* UTC\); use ano"
    for _ in range(2):  # a refused process leaves the lock as it was
        with pytest.raises(FolderInUseError, match=message):
            lock(tmp_path / "run").acquire()


def test_a_killed_holder_is_no_holder_although_its_worker_lives(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    """A killed run could not be resumed until somebody removes a file."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run" / LOCK).exists()
    with lock(tmp_path / "run"):
        pass


def test_a_released_lock_leaves_no_file(tmp_path: Path) -> None:
    """Folders of data would contain a file that is no data."""
    with sole_writer(tmp_path, "preparation"):
        assert (tmp_path / LOCK).exists()
    assert list(tmp_path.iterdir()) == []


def test_a_process_can_lock_a_folder_twice(tmp_path: Path) -> None:
    """A notebook could not train and test in one folder; the first to end would unlock it."""
    first, second = lock(tmp_path), lock(tmp_path / "." / "")
    with first:
        with second:
            second.acquire()
        code = f"from tests.test_folder_lock import *; lock(Path({str(tmp_path)!r})).acquire()"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert f"in use by a test (process {os.getpid()} on" in done.stderr
    first.release()
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """The user would see FileExistsError."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match="is a file, not a folder"):
            lock(path).acquire()


def test_a_file_system_without_locks_is_used_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No run could be started there."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("openstl_ext.folder_lock.lock_byte", refuse)
    with lock(tmp_path):
        pass
    assert "file system without locks" in caplog.text


def test_a_folder_that_remains_empty_is_removed(tmp_path: Path) -> None:
    """A refused preparation would leave a folder that looks like a dataset."""
    with sole_writer(tmp_path / "new", "preparation"):
        assert (tmp_path / "new").is_dir()
    with sole_writer(tmp_path / "missing", "packing", create=False):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "taxibj", "--miniature", "--root"],
        ["data", "lts", "--miniature", "--root"],
        ["data", "human-modification", "--miniature", "--root"],
        ["data", "boiling", "--num_samples", "1", "--num_frames", "2", "--data_path"],
        ["data", "pack", "--data_path"],
        ["data", "split", "--data_path"],
    ],
    ids=lambda arguments: arguments[1],
)
def test_two_commands_do_not_write_to_one_folder_of_data(
    arguments: list[str], holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Each would overwrite or delete files of the other."""
    with pytest.raises(FolderInUseError, match=f"in use by a training .process {holder.pid}"):
        cli.call([*arguments, str(tmp_path / "run")])
    assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK]
