"""The arguments --recipe and --data in place of a config."""

import argparse
from pathlib import Path

import pytest

from openstl_ext import cli
from openstl_ext.commands import export, predict, profile, test, train
from openstl_ext.commands.arguments import require_config
from openstl_ext.commands.recipe_arguments import resolve
from openstl_ext.config import Recipe
from openstl_ext.errors import UserError

GIVEN = ["--recipe", "simvp_gsta", "--data", "data/mine"]
PREDICT = ["--input", "a.npy", "--out", "b.npy"]


def parsed(command: object, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)  # type: ignore[attr-defined]
    args = cli.parse(parser, words)
    resolve(args)
    return args


@pytest.mark.parametrize(
    ("command", "words", "checkpoint"),
    [
        (train, GIVEN, None),
        (test, GIVEN, None),
        (test, ["a.pth", *GIVEN], "a.pth"),
        (test, [*GIVEN, "a.pth"], "a.pth"),
        (predict, [*GIVEN, *PREDICT], None),
        (predict, ["a.pth", *GIVEN, *PREDICT], "a.pth"),
        (predict, [*PREDICT, *GIVEN, "a.pth"], "a.pth"),
        (predict, [*GIVEN, "a.pth", *PREDICT], "a.pth"),
        (export, ["a.pth", *GIVEN, "b.safetensors"], "a.pth"),
        (profile, ["--batch-size", "2", *GIVEN], None),
    ],
)
def test_a_recipe_takes_the_place_of_the_config(
    command: object, words: list[str], checkpoint: str | None
) -> None:
    """The name of a checkpoint would be taken as that of a config."""
    args = parsed(command, *words)
    assert args.config == Recipe("simvp_gsta", Path("data/mine"))
    assert getattr(args, "checkpoint", None) == checkpoint


def test_without_a_recipe_the_config_is_still_required() -> None:
    """A forgotten config would be a traceback."""
    assert parsed(predict, "c", "a.pth", *PREDICT).config == "c"
    with pytest.raises(UserError, match="a CONFIG is missing"):
        require_config(parsed(predict, *PREDICT))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["boiling/simvp_gsta", *GIVEN], "are two configs; leave one"),
        (GIVEN[:2], "--recipe simvp_gsta needs --data FOLDER"),
    ],
)
def test_what_contradicts_is_refused(words: list[str], message: str) -> None:
    """One of both would be ignored."""
    with pytest.raises(UserError, match=message):
        parsed(train, *words)


def test_data_without_a_recipe_need_a_config_that_takes_them() -> None:
    """The folder would be ignored where it is no short flag."""
    assert parsed(train, "c", *GIVEN[2:]).data == Path("data/mine")
    with pytest.raises(UserError, match="--data data/mine needs --recipe"):
        parsed(predict, "c", *GIVEN[2:], *PREDICT)
