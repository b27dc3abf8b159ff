"""List recipes, methods, models, datasets and metrics, each with a line of description.

::

    openstl-ext list
    openstl-ext list recipe metric
    openstl-ext list --markdown
"""

import argparse
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openstl_ext import cli

if TYPE_CHECKING:
    from openstl_ext.registry import Registry

KINDS = ("recipe", "method", "model", "dataset", "metric")


@dataclass(frozen=True)
class Recipe:
    """A config with the name that its authors gave it.

    Args:
        title: Published name.
        name: Name of the config, as commands take it.
        method: Type of the method.
        net: Type of the net.
        summary: First line of the config's docstring.
    """

    title: str
    name: str
    method: str
    net: str
    summary: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("kinds", nargs="*", metavar="KIND", help=f"only these: {', '.join(KINDS)}")
    add("--markdown", action="store_true", help="print the catalogue, docs/catalogue.md")


def run(args: argparse.Namespace) -> None:
    """Print the list."""
    from openstl_ext.errors import UserError, nearest

    kinds = [kind.removesuffix("s") for kind in args.kinds] or KINDS
    for kind in kinds:
        if kind not in KINDS:
            raise UserError(f"there is no kind {kind!r}; {nearest(kind, KINDS)}")
    cli.print_line(markdown() if args.markdown else text(kinds))


def recipes() -> list[Recipe]:
    """Return all recipes below ./configs and below the installed configs, by name."""
    from openstl_ext import config

    found = []
    for name in config.config_names():
        path = config.find_config(name)
        cfg = config.load(path)
        model = cfg.get("model") or {}
        found.append(
            Recipe(
                title=(cfg.get("source") or {}).get("name") or cfg.identity,
                name=name,
                method=str(model.get("type", "")),
                net=str((model.get("net") or {}).get("type", "")),
                summary=config.summary(path),
            )
        )
    return found


def parts() -> dict[str, dict[str, str]]:
    """Return name and first docstring line of all registered classes of this package, by kind."""
    from openstl_ext.methods.base import Method
    from openstl_ext.registry import DATASETS, METHODS, METRICS, MODELS

    return {
        "method": registered(METHODS, lambda cls: issubclass(cls, Method)),
        "model": registered(MODELS),
        "dataset": registered(DATASETS),
        "metric": registered(METRICS),
    }


def registered(
    registry: "Registry", wanted: Callable[[type], bool] = lambda _: True
) -> dict[str, str]:
    """Return the names of a registry, each with the first line of its docstring."""
    registry.import_from_location()
    ours = {n: c for n, c in registry.module_dict.items() if c.__module__.startswith("openstl_ext")}
    return {
        name: (inspect.getdoc(cls) or "").partition("\n")[0]
        for name, cls in sorted(ours.items())
        if wanted(cls)
    }


def text(kinds: Sequence[str] = KINDS) -> str:
    """Return the list for a terminal."""
    blocks = []
    if "recipe" in kinds:
        lines = ["recipes (openstl-ext train NAME)"]
        for recipe in recipes():
            lines.append(f"  {recipe.name}")
            lines.append(f"      {recipe.title} = {recipe.method} + {recipe.net}. {recipe.summary}")
        blocks.append("\n".join(lines))
    for kind, entries in (parts() if set(kinds) != {"recipe"} else {}).items():
        if kind in kinds:
            width = max(map(len, entries), default=0)
            lines = [f"{kind}s", *(f"  {name:<{width}}  {line}" for name, line in entries.items())]
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def markdown() -> str:
    """Return the catalogue: recipes by dataset family, then all registered classes."""
    lines = [
        "# Catalogue",
        "",
        "Made by `openstl-ext list --markdown`. A recipe is trained by `openstl-ext train NAME`;",
        "a class is the `type` of a block in a config.",
    ]
    family = None
    for recipe in recipes():
        if family != (family := recipe.name.partition("/")[0]):
            heading = ["", f"## {family.replace('_', ' ')}", ""]
            lines += [
                *heading,
                "| Recipe | Published as | Method | Model | |",
                "|---|---|---|---|---|",
            ]
        columns = (f"`{recipe.name}`", recipe.title, recipe.method, recipe.net, recipe.summary)
        lines.append(f"| {' | '.join(columns)} |")
    lines += ["", "## Registered classes"]
    for kind, entries in every_class().items():
        lines += ["", f"| {kind.capitalize()} | |", "|---|---|"]
        lines += [f"| `{name}` | {line} |" for name, line in entries.items()]
    return "\n".join(lines)


def every_class() -> dict[str, dict[str, str]]:
    """Return what this package registers, by the name of the registry."""
    from openstl_ext import registry

    registries = [r for r in vars(registry).values() if isinstance(r, registry.Registry)]
    for each in registries:  # a package may register in several
        each.import_from_location()
    return {each.name: entries for each in registries if (entries := registered(each))}
