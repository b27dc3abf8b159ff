"""Arguments ``--recipe NAME --data FOLDER``, which take the place of a CONFIG."""

import argparse
from pathlib import Path

from openstl_ext.errors import UserError


def add_recipe(parser: argparse.ArgumentParser, *, with_data: bool) -> None:
    """Add the arguments; ``resolve`` must follow the parsing.

    Args:
        parser: Parser of the command.
        with_data: Whether to add ``--data``, for a command without this short flag.
    """
    parser.add_argument(
        "--recipe",
        metavar="NAME",
        help="in place of CONFIG: a net and schedule for the data of --data, such as simvp_gsta",
    )
    if with_data:
        help_text = "folder of `openstl-ext data import`, for --recipe"
        parser.add_argument("--data", type=Path, metavar="DIR", help=help_text)


def resolve(args: argparse.Namespace) -> None:
    """Set ``args.config`` to the recipe, if one is given; may be called twice.

    A positional argument beside a recipe is the checkpoint.

    Raises:
        UserError: If both a recipe and a config are given, or a recipe without data.
    """
    from openstl_ext.config import Recipe

    if isinstance(args.config, Recipe):
        return
    if args.recipe is None:
        if args.data is not None and "data" not in getattr(args, "short_flags", ()):
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
    args.config, args.data = Recipe(args.recipe, args.data), None
