"""Write a plugin into the current folder: a class, its test, and a config that uses it.

::

    openstl-ext new model TideNet
    openstl-ext new dataset TideGauges

The class is registered by ``custom_imports`` of the config, so the folder needs no package.
"""

import argparse
import os
import re
from contextlib import ExitStack
from pathlib import Path

from openstl_ext import cli
from openstl_ext.atomic_io import atomic_file
from openstl_ext.errors import UserError, nearest
from openstl_ext.output_path import check_file

KINDS = ("model", "dataset", "metric", "method")
TEMPLATES = Path(__file__).parent / "templates"
BOILING = "openstl-ext demo  (writes the data of the config)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("kind", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("name", metavar="NAME", help="of the class, such as TideNet")


def run(args: argparse.Namespace) -> None:
    """Write the three files, and print the commands that use them."""
    if args.kind not in KINDS:
        raise UserError(f"there is no template for {args.kind!r}; {nearest(args.kind, KINDS)}")
    class_name, module = names_of(args.name)
    check_unused(args.kind, class_name)
    files = {
        Path(f"{module}.py"): f"{args.kind}.py",
        Path(f"test_{module}.py"): f"{args.kind}_test.py",
        Path(f"{module}_config.py"): f"{args.kind}_config.py",
    }
    for path in files:
        if os.path.lexists(path):
            raise UserError(f"{path} exists; choose another name, or delete it (nothing written)")
        check_file(path, option="NAME")
    with ExitStack() as opened:  # they are renamed when all are written
        for path, template in files.items():
            text = (TEMPLATES / template).read_text(encoding="utf-8")
            text = text.replace(f"New{args.kind.title()}", class_name)
            file = opened.enter_context(atomic_file(path))
            file.write(text.replace(f"new_{args.kind}", module).encode())
            file.flush()
    data = f"python {module}.py  (writes a synthetic set)" if args.kind == "dataset" else BOILING
    cli.print_line(f"wrote {', '.join(map(str, files))}")
    cli.print_line(f"test it    python -m pytest test_{module}.py")
    cli.print_line(f"data       {data}")
    cli.print_line(f"train it   openstl-ext train {module}_config.py --test")


def names_of(name: str) -> tuple[str, str]:
    """Return class and module of a name in camel case or snake case.

    Raises:
        UserError: If the name is no identifier.
    """
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        raise UserError(f"{name!r} is no name of a class; use letters and digits, as in TideNet")
    words = re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+", name)
    title = "".join(word[0].upper() + word[1:] for word in words)
    return (name if name[0].isupper() and "_" not in name else title), "_".join(words).lower()


def check_unused(kind: str, class_name: str) -> None:
    """Check that no class of this package has the name.

    Raises:
        UserError: If one has; registering a second would fail.
    """
    from openstl_ext import registry

    parts = {"model": "MODELS", "dataset": "DATASETS", "metric": "METRICS", "method": "METHODS"}
    found: registry.Registry = getattr(registry, parts[kind])
    found.import_from_location()
    if class_name in found.module_dict:
        raise UserError(f"a {kind} {class_name} is registered already; choose another name")
