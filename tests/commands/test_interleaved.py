"""Positional arguments of every command, with options between them."""

import argparse
import itertools
from typing import Any

import pytest

from openstl_ext import cli
from openstl_ext.errors import UserError

PARSERS = cli.command_parsers(cli.build_parser(cli.find_commands()))
FLAG: dict[str, list[str]] = {
    "convert": ["--source", "simvp"],
    "demo": ["--num-samples", "3"],
    "embed": ["--components", "3"],
    "export": ["--cfg-options", "a=1", "b=[1,", "2]"],
    "leaderboard": ["--format", "csv"],
    "list": ["--markdown"],
    "plot-horizons": ["--metric", "mae"],
    "plot-spectrum": ["--out", "a.png"],
    "predict": ["--tile", "32"],
    "profile": ["--batch-size", "2"],
    "test": ["--seed", "1"],
    "train": ["--seed", "1"],
    "visualize": ["--colormap", "Purples"],
}


def positionals(parser: argparse.ArgumentParser) -> list[str]:
    """Return a word for each positional argument, two for one that takes several."""
    words = []
    for action in parser._get_positional_actions():
        count = 2 if action.nargs in ("*", "+") else 1
        words += [f"work/{action.dest}{k}" for k in range(count)]
    return words


def required(parser: argparse.ArgumentParser) -> list[str]:
    actions = (a for a in parser._get_optional_actions() if a.required)
    numbers = ((a.option_strings[0], a.nargs if isinstance(a.nargs, int) else 1) for a in actions)
    return [word for option, number in numbers for word in (option, *["x"] * number)]


@pytest.mark.parametrize("name", sorted(PARSERS.keys() - {"data"}))  # it has parsers of its own
def test_options_may_stand_anywhere(name: str) -> None:
    """``test CONFIG --seed 1 CHECKPOINT`` would end with an unrecognised argument."""
    parser, flag = PARSERS[name], FLAG.get(name, [])
    places = positionals(parser)
    given = [flag, required(parser)]
    expected = cli.parse(parser, [*places, *itertools.chain(*given)])
    for first, second in itertools.combinations_with_replacement(range(len(places) + 1), 2):
        words = [*places[:first], *given[0], *places[first:second], *given[1], *places[second:]]
        assert cli.parse(parser, words) == expected, words


def parsed(name: str, text: str) -> dict[str, Any]:
    return vars(cli.parse(PARSERS[name], text.split()))


@pytest.mark.parametrize(
    "text",
    [
        "a/b --cfg-options k=1 l=2 some.pth",
        "--cfg-options k=1 l=2 a/b some.pth",
        "--cfg-options k=1 a/b --cfg-options l=2 some.pth",
        "a/b some.pth --cfg-options k=1 l=2",
    ],
)
def test_a_list_of_values_does_not_take_the_path_after_it(text: str) -> None:
    """CONFIG would be missing although it is there."""
    found = parsed("test", text)
    assert (found["config"], found["checkpoint"]) == ("a/b", "some.pth")
    assert found["cfg_options"] == ["k=1", "l=2"]


def test_a_value_with_blanks_stays_in_its_list() -> None:
    """The message about the value would be one about a second config."""
    assert parsed("train", "a/b --cfg-options k=[1, c/d]")["cfg_options"] == ["k=[1,", "c/d]"]
    assert parsed("train", "a/b --cfg-options sed 1")["cfg_options"] == ["sed", "1"]


def test_a_config_after_resume_is_the_config() -> None:
    """``train --resume CONFIG`` would say that CONFIG is missing."""
    with pytest.raises(UserError, match="there is no config boiling/simvp_gsta_smal;"):
        cli.call(["train", "--resume", "boiling/simvp_gsta_smal"])
