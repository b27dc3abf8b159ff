"""Commands are found, and mistakes are reported."""

import errno
import io
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch.utils.data import DataLoader, Dataset

from openstl_ext import cli, commands
from openstl_ext.errors import PATH_REMEDIES, DataError, UserError, printable

COMMANDS = {
    *("convert", "data", "demo", "doctor", "leaderboard", "list", "new", "plot-horizons"),
    *("plot-power-spectra", "plot-rank-histogram", "plot-reliability", "plot-score-card"),
    *("plot-training", "plot-spectrum", "predict", "profile", "test", "train", "visualize"),
}
HEAVY = {"torch", "mmengine", "numpy", "matplotlib"}
MESSAGE = "a.tif and b.tif differ:\n  bring them onto one grid"


@pytest.fixture(autouse=True)
def globals_of_a_command(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore what a command sets for its process, which here runs other tests too."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)


class Broken(Dataset):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> None:
        raise DataError(MESSAGE)


@pytest.mark.parametrize("workers", [0, 1])
def test_bad_data_are_reported_in_one_message_also_from_a_worker(
    workers: int, capsys: pytest.CaptureFixture
) -> None:
    """The name of a file that a worker cannot read would be lost in a traceback."""
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
        print("interpreter finalised")

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
    """One test of twenty on several processes would end without its result."""
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(fails=fails)],
        env={**os.environ, "WORLD_SIZE": str(world)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (2 if fails else 0)
    assert done.stderr == ("error: not so\n" if fails else "")
    lines = ["work done", "group left", "interpreter finalised"]
    assert done.stdout.splitlines() == (lines if world == 1 else lines[:2])


def test_all_commands_are_found() -> None:
    """A command of the documentation would not exist."""
    assert set(cli.find_commands()) >= COMMANDS


def test_help_imports_nothing_heavy() -> None:
    """Help and completion would take seconds; the parsers of all commands are built for both."""
    code = (
        "import sys; from openstl_ext import cli\n"
        "try: cli.call(['--help'])\n"
        f"except SystemExit: sys.exit(', '.join({HEAVY} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: openstl-ext")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_has_a_help_line_and_a_help(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user could not learn what a command does."""
    module = cli.find_commands()[name]
    line = (module.__doc__ or "").partition("\n")[0]
    assert line.endswith(".")
    with pytest.raises(SystemExit) as ended:
        cli.call([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: openstl-ext {name} ")


def test_a_new_file_is_a_new_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Adding a command would need a change of other files."""
    (tmp_path / "count_to.py").write_text(
        '"""Count to a number."""\n'
        "def add_arguments(parser):\n"
        "    parser.add_argument('number', type=int)\n"
        "def run(args):\n"
        "    print(*range(args.number))\n"
    )
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    cli.call(["count-to", "3"])
    assert capsys.readouterr().out == "0 1 2\n"


def test_a_typo_proposes_the_nearest_command() -> None:
    """A user would have to read the help."""
    with pytest.raises(UserError, match="there is no command 'trian'; did you mean 'train'"):
        cli.call(["trian", "boiling/simvp_gsta_small"])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("openstl-ext tra", {"train"}),
        ("openstl-ext train boiling/simvp", {"boiling/simvp_gsta", "boiling/simvp_gsta_small"}),
        ("openstl-ext convert a b --config lts/st_", {"lts/st_gru", "lts/st_mamba"}),
    ],
)
def test_commands_and_configs_are_completed(line: str, expected: set[str], tmp_path: Path) -> None:
    """The documented completion in shells would not work."""
    pytest.importorskip("argcomplete")
    out = tmp_path / "completions"
    shell = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9"}
    argcomplete = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": str(out)}
    subprocess.run(
        [sys.executable, "-m", "openstl_ext"],
        cwd=tmp_path,
        env={**os.environ, **shell, **argcomplete, "IFS": "\n"},
        check=True,
    )
    assert {word.strip() for word in out.read_text().splitlines()} == expected


def ended(function, capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Run a function as a command does; return status and error output."""
    with pytest.raises(SystemExit) as stopped:
        cli.run(function)
    return stopped.value.code, capsys.readouterr().err


def fail(error: BaseException):
    def function() -> None:
        raise error

    return function


@pytest.mark.parametrize("number", sorted(PATH_REMEDIES), ids=lambda n: errno.errorcode[n])
def test_each_condition_of_a_disk_is_one_sentence(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user with a full or broken disk would read a traceback."""
    error = OSError(number, os.strerror(number), "some/file")
    status, message = ended(fail(error), capsys)
    assert status == 2
    assert message == f"error: some/file: {os.strerror(number)}; {PATH_REMEDIES[number]}\n"


def test_an_error_of_a_disk_without_a_name_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A failed write, which has no name of a file, would be a traceback."""
    status, message = ended(fail(OSError(errno.EIO, os.strerror(errno.EIO))), capsys)
    assert (status, message.count("\n")) == (2, 1)
    assert message.startswith("error: Input/output error; check the disk")


class Unreadable(Dataset):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), "data/a.npy")


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_of_a_disk_in_a_worker_is_one_sentence(
    workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker passes an error on as text, which would be a traceback of two processes."""
    loader = DataLoader(Unreadable(), num_workers=workers)
    status, message = ended(lambda: list(loader) and None, capsys)
    assert status == 2
    assert message.startswith("error: data/a.npy: Input/output error; check the disk")
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 7.28 TiB for an array"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"
        ),
        RuntimeError("CUDA out of memory. Tried to allocate 20 GiB\nmore"),
    ],
)
def test_too_little_memory_is_one_sentence(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """A batch that is too large would be a traceback."""
    status, message = ended(fail(error), capsys)
    assert (status, message.count("\n")) == (2, 1)
    assert "use smaller batches, tiles or data" in message


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), ConnectionResetError("x")])
def test_a_mistake_of_the_program_keeps_its_traceback(error: Exception) -> None:
    """A bug could not be found from the report of a user."""
    with pytest.raises(type(error)):
        cli.run(fail(error))


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted; call the same command again\n"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_an_interruption_has_no_traceback(
    error: BaseException, status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C, or ``head`` behind a pipe, would print a traceback."""
    assert ended(fail(error), capsys) == (status, line)


PIPED = """
import logging, sys, time
from openstl_ext import cli

def main():
    logging.basicConfig(stream=sys.stdout, format="%(message)s", level=0)
    for count in range(3):
        cli.print_line("x" * 70_000)
        logging.info("x" * 70_000)
    open(sys.argv[1], "w").write("done")

cli.run(main)
"""


def test_a_closed_pipe_neither_stops_the_work_nor_prints_a_traceback(tmp_path: Path) -> None:
    """``openstl-ext train | head`` would end the training, or fill the terminal."""
    done = tmp_path / "done"
    command = f'"{sys.executable}" -c "$CODE" "{done}" | head -c 10'
    ran = subprocess.run(
        command, shell=True, env={**os.environ, "CODE": PIPED}, capture_output=True, text=True
    )
    assert (ran.stdout, ran.stderr) == ("x" * 10, "")
    assert done.read_text() == "done"


CONTROL = "a\x1b[2J\x07b\u202ec\udcff"


def test_names_of_files_control_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """The name of a file would clear the terminal, or hide a part of a message."""
    shown = r"a\x1b[2J\x07b\u202ec\udcff"
    cli.print_line(CONTROL)
    assert capsys.readouterr().out == f"{shown}\n"
    cli.warn(CONTROL)
    assert capsys.readouterr().err == f"warning: {shown}\n"
    assert ended(fail(UserError(CONTROL)), capsys) == (2, f"error: {shown}\n")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("tests.control")
    logger.addHandler(handler)
    logger.warning("%s", CONTROL)
    logger.removeHandler(handler)
    assert stream.getvalue() == shown + "\n"
    assert CONTROL not in cli.format_warning(CONTROL, UserWarning, "file", 1)
    assert cli.format_warning(CONTROL, UserWarning, cli.__file__, 1) == f"warning: {shown}\n"
    assert "file:1: UserWarning" in cli.format_warning("text", UserWarning, "file", 1)


def test_usual_texts_are_printed_unchanged() -> None:
    """Names in other scripts would be unreadable."""
    text = "\u00fc \u65e5\u672c \u2603\u00a0 a\tb\nc"
    assert printable(text) == text


def test_a_nul_character_is_one_sentence() -> None:
    """A path with a NUL would be a traceback of the standard library."""
    with pytest.raises(UserError, match="has a NUL character"):
        cli.call(["visualize", "a\0b"])
