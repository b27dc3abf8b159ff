"""docs/from_simvp_minimal.md: our commands are no longer than those of simvp_minimal, and run."""

import re
import shlex
from pathlib import Path

import pytest

from openstl_ext import cli

PAGE = Path(__file__).parents[1] / "docs/from_simvp_minimal.md"
STEP = re.compile(r"^## (.+?)\n.*?```\n(.*?)```\n\n```bash\n(.*?)```", re.DOTALL | re.MULTILINE)
TINY = {
    "--num_samples 100": "--num_samples 12",
    "--image_size 64": "--image_size 16",
    "boiling/simvp_gsta ": "boiling/simvp_gsta_small --size 16 ",
    "--epochs 20": "--epochs 1",
}
"""What makes the commands of the page run in seconds."""


def steps() -> dict[str, tuple[str, str]]:
    """Return the commands of simvp_minimal and ours by step."""
    return {
        name: (theirs.strip(), ours.strip())
        for name, theirs, ours in STEP.findall(PAGE.read_text())
    }


def test_no_step_has_more_characters_than_in_simvp_minimal() -> None:
    """Its users would type more here, each day."""
    found = steps()
    assert len(found) == 8
    for name, (theirs, ours) in found.items():
        assert len(ours) <= len(theirs), name


def test_the_commands_for_several_processes_are_those_of_one() -> None:
    """A script would end with an unknown argument."""
    parsers = cli.command_parsers(cli.build_parser(cli.find_commands()))
    lines = [line for _, ours in steps().values() for line in ours.splitlines()]
    scripts = [line for line in lines if line.startswith("tools/dist_")]
    assert len(scripts) == 2
    for line in scripts:
        script, processes, *words = shlex.split(line)
        assert (PAGE.parents[1] / script).is_file()
        assert processes == "4"
        cli.parse(parsers["train" if "train" in script else "test"], words)


@pytest.mark.slow
def test_our_commands_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user of simvp_minimal would be stopped at the first command that is wrong."""
    monkeypatch.chdir(tmp_path)
    printed: dict[str, str] = {}
    for _, ours in steps().values():
        for line in ours.splitlines():
            if line.startswith("tools/"):
                continue
            for full, tiny in TINY.items():
                line = line.replace(full, tiny)
            if " 17d1 " in line:
                sample = printed["visualize"].split()[0]
                line = line.replace("17d1", sample[:12])
            words = shlex.split(line)[1:]
            capsys.readouterr()
            cli.call(words)
            printed[words[0]] = capsys.readouterr().out
    assert Path("work_dirs/my_experiment/result.json").is_file()
    (picture,) = Path("work_dirs/my_experiment").rglob("grid_*.png")
    assert picture.name.endswith(f"{sample}.png")
