"""What the tools say when something is wrong."""

import os
import subprocess
import sys

import pytest
from torch.utils.data import DataLoader, Dataset

from openstl_ext import cli
from openstl_ext.errors import DataError

MESSAGE = "a.tif and b.tif differ:\n  bring them onto one grid"


class Broken(Dataset):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> None:
        raise DataError(MESSAGE)


@pytest.mark.parametrize("workers", [0, 1])
def test_bad_data_are_told_in_one_message_by_whoever_reads_them(
    workers: int, capsys: pytest.CaptureFixture
) -> None:
    """If this fails, a file that a worker cannot read buries its name under a traceback."""
    with pytest.raises(SystemExit) as ended:
        cli.run(lambda: list(DataLoader(Broken(), num_workers=workers)) and None)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: {MESSAGE}\n"


ENDING = """
import atexit
from openstl_ext import cli
from openstl_ext.errors import UserError

class Late:
    def __del__(self):
        print("the interpreter is taken apart")

late = Late()
atexit.register(print, "group left")

def main():
    print("work done")
    if {fails}:
        raise UserError("not so")

cli.run(main)
"""


@pytest.mark.parametrize("world", [1, 2])
@pytest.mark.parametrize("fails", [False, True])
def test_a_process_of_many_ends_before_a_thread_of_another_library_can_fail(
    world: int, fails: bool
) -> None:
    """If this fails, one test of twenty on several processes ends without its result."""
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(fails=fails)],
        env={**os.environ, "WORLD_SIZE": str(world)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (2 if fails else 0)
    assert done.stderr == ("error: not so\n" if fails else "")
    whole = ["work done", "group left", "the interpreter is taken apart"]
    assert done.stdout.splitlines() == (whole if world == 1 else whole[:2])
