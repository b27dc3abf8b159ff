"""The commands of docs/comparing.md."""

import re
import shlex
from pathlib import Path

import pytest

from openstl_ext import cli
from openstl_ext.registry import DATASETS

PAGE = Path(__file__).parents[1] / "docs/comparing.md"
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_the_documented_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The training is shortened to two epochs."""
    monkeypatch.chdir(tmp_path)
    commands = [line for block in BLOCK.findall(PAGE.read_text()) for line in block.splitlines()]
    for command in commands:
        short = ["--epochs", "2"] if " train " in command else []
        cli.call([*shlex.split(command)[1:], *short])
    assert "is better" in capsys.readouterr().out
    lines = Path("comparison.csv").read_text().splitlines()
    assert lines[0].startswith("protocol,score,a,b,score_a,score_b,difference")
    assert len(lines) == 12  # a score and ten leads


def test_the_table_of_blocks_names_datasets_that_have_them() -> None:
    """The page would promise what a dataset does not do."""
    named = PAGE.read_text().partition("## Blocks")[2].partition("## Ties")[0]
    have = {
        name
        for name, cls in DATASETS.module_dict.items()
        if cls.__module__.startswith("openstl_ext.") and "block_id" in vars(cls)
    }
    titles = {
        "FrameFolders": "frame folders",
        "BurnScars": "HLS BurnScars",
        "SpaceNet7": "SpaceNet 7",
    }
    missing = {name for name in have if titles.get(name, name) not in named}
    assert not missing
