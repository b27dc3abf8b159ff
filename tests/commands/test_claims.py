"""The command ``openstl-ext claims``."""

import csv
import io
import json
import re
import shlex
from pathlib import Path
from typing import get_args

import pytest

from openstl_ext import cli
from openstl_ext.errors import UserError
from openstl_ext.results.claims import COUNTERPARTS, FLAGS, Claim, SourceKind

PAGE = Path(__file__).parents[2] / "docs/claims.md"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    cli.call(["claims", *arguments])
    return capsys.readouterr().out


def test_without_a_filter_it_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Five hundred rows would hide how to choose some."""
    text = printed(capsys)
    assert "526 published results" in text
    assert "--dataset taxibj" in text
    assert len(text.splitlines()) < 30


def test_filters_and_formats_agree(capsys: pytest.CaptureFixture[str]) -> None:
    """A format could lose rows, or their source."""
    chosen = ("--dataset", "kth", "--metric", "psnr", "--epochs", "100")
    rows = json.loads(printed(capsys, *chosen, "--format", "json"))
    lines = list(csv.DictReader(io.StringIO(printed(capsys, *chosen, "--format", "csv"))))
    text = printed(capsys, *chosen)
    assert len(rows) == len(lines) == 23
    assert [row["source"] for row in rows] == [line["source"] for line in lines]
    assert {float(line["psnr"]) for line in lines} == {row["metrics"]["psnr"] for row in rows}
    assert "mse_sum" not in text
    assert "10 -> 20 frames of 1 x 128 x 128" in text
    assert sum(line.startswith("| ") for line in text.splitlines()) == 2 + 23


def test_flags_are_shown_with_their_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong figure would be copied into another paper."""
    text = printed(capsys, "--dataset", "moving_mnist", "--flagged", "misprint")
    assert "38.35 (misprint)" in text
    assert "bytes that wrap around; the second table of the page has 22.78" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dataset", "kht"), "did you mean 'kth'"),
        (("--format", "cvs"), "did you mean 'csv'"),
        (("--dataset", "kth", "--flagged", "suspect"), "fits all filters"),
    ],
)
def test_mistakes_are_one_sentence(arguments, message) -> None:
    """An empty table would read as: nothing is published."""
    with pytest.raises(UserError, match=message):
        cli.call(["claims", *arguments])


def test_the_page_is_true(capsys: pytest.CaptureFixture[str]) -> None:
    """A command of the page would fail, or a field or a flag would not be explained."""
    page = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    commands = [shlex.split(re.sub(r"[>#].*", "", line))[1:] for line in block.splitlines()]
    assert len(commands) == 5
    for words in commands:
        assert printed(capsys, *words[1:])
    for kind, meaning in FLAGS.items():
        assert f"| `{kind}` | {meaning} |" in page
    for name in (*Claim.__struct_fields__, *COUNTERPARTS, *get_args(SourceKind)):
        assert f"`{name}`" in page, name
