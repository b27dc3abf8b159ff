"""Arguments ``--recipe NAME --data FOLDER``, which take the place of a CONFIG."""

import argparse
from pathlib import Path
from typing import Any

from openstl_ext.errors import UserError


class _RecipeAction(argparse.Action):
    """Store the recipe, and make the positional arguments optional."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        setattr(namespace, self.dest, values)
        for action in parser._actions:
            if not action.option_strings:
                action.nargs, action.required = "?", False


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments; ``resolve`` must follow the parsing."""
    parser.add_argument(
        "--recipe",
        action=_RecipeAction,
        metavar="NAME",
        help="in place of CONFIG: a net and schedule for the data of --data, such as simvp_gsta",
    )
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="folder of `openstl-ext data import`"
    )


def resolve(args: argparse.Namespace) -> None:
    """Set ``args.config`` to the recipe, if one is given; may be called twice.

    A positional argument beside a recipe is the checkpoint.

    Raises:
        UserError: If both a recipe and a config are given, or only one of recipe and data.
    """
    from openstl_ext.config import Recipe

    if isinstance(args.config, Recipe):
        return
    if args.recipe is None:
        if args.data is not None:
            raise UserError(f"--data {args.data} needs --recipe, such as --recipe simvp_gsta")
        return
    if args.data is None:
        raise UserError(
            f"--recipe {args.recipe} needs --data FOLDER, which `openstl-ext data import` writes"
        )
    if args.config is not None:
        if getattr(args, "checkpoint", "") is not None:
            raise UserError(f"{args.config} and --recipe {args.recipe} are two configs; leave one")
        args.checkpoint = args.config
    args.config = Recipe(args.recipe, args.data)
