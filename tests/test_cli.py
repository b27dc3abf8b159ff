"""Commands are found, and mistakes are reported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from torch.utils.data import DataLoader, Dataset

from openstl_ext import cli, commands
from openstl_ext.errors import DataError, UserError

COMMANDS = {
    *("convert", "data", "demo", "doctor", "leaderboard", "list", "new", "plot-horizons"),
    *("predict", "profile", "test", "train", "visualize"),
}
HEAVY = {"torch", "mmengine", "numpy", "matplotlib"}
MESSAGE = "a.tif and b.tif differ:\n  bring them onto one grid"


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
        ("openstl-ext train boiling/", {"boiling/simvp_gsta", "boiling/simvp_gsta_small"}),
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
