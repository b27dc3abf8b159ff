"""Prepare a dataset: download, verify, convert or simulate its files.

::

    openstl-ext data taxibj
    openstl-ext data kth --miniature --root data/miniature/kth
    openstl-ext data lts cut --help

A dataset is listed if its folder has a ``prepare.py``, or its file a ``PREPARATION``.
"""

import argparse
import ast
import importlib
from pathlib import Path

from openstl_ext import cli
from openstl_ext.commands.arguments import add_quiet
from openstl_ext.errors import UserError, nearest
from openstl_ext.progress_line import quiet

PACKAGE = Path(__file__).parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    names = preparations()
    width = max(map(len, names))
    lines = [f"  {name:<{width}}  {first_line(path)}" for name, path in names.items()]
    parser.epilog = "\n".join(["names:", *lines])
    parser.add_argument("name", metavar="NAME", type=lambda name: name.replace("_", "-"))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="NAME --help")


def run(args: argparse.Namespace) -> None:
    """Prepare one dataset."""
    names = preparations()
    if args.name not in names:
        raise UserError(f"no dataset {args.name!r} can be prepared; {nearest(args.name, names)}")
    path = names[args.name]
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    module = importlib.import_module(".".join(parts))
    # a module with subcommands of its own, or the usual way of a published dataset
    command = module if hasattr(module, "add_arguments") else module.PREPARATION
    parser = argparse.ArgumentParser(
        prog=f"openstl-ext data {args.name}", description=first_line(path)
    )
    command.add_arguments(parser)
    add_quiet(parser)
    # anywhere, since a subcommand has options of its own
    given = cli.parse(parser, [word for word in args.arguments if word != "--quiet"])
    with quiet("--quiet" in args.arguments):
        command.run(given)


def preparations() -> dict[str, Path]:
    """Return the modules that prepare data, by name; nothing is imported."""
    datasets = PACKAGE / "datasets"
    files = {path.parent.name: path for path in datasets.glob("*/prepare.py")}
    for path in datasets.glob("*.py"):
        if "\nPREPARATION = " in path.read_text(encoding="utf-8"):
            files[path.stem] = path
    files |= {path.stem: path for path in Path(__file__).parent.glob("[!_]*.py")}
    return {name.replace("_", "-"): files[name] for name in sorted(files)}


def first_line(path: Path) -> str:
    """Return the first line of the docstring of a module."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]
