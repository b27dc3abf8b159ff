"""What there is: recipes under their published names, and the parts they are made of.

``python -m openstl_ext.catalogue`` prints the table of the README.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from openstl_ext import config
from openstl_ext.registry import DATASETS, METHODS, METRICS, MODELS, Registry

ROOT = Path(__file__).parents[1] / "configs"


@dataclass(frozen=True)
class Recipe:
    """A config under its published name.

    Args:
        name: What its authors call it.
        path: The config, as tools take it.
        method: Type of the procedure.
        net: Type of the net.
        summary: First line of the config's docstring.
    """

    name: str
    path: str
    method: str
    net: str
    summary: str


def recipes(root: Path = ROOT) -> list[Recipe]:
    """All configs, by path."""
    found = []
    for path in sorted(root.rglob("*.py")):
        if "_base_" in path.relative_to(root).parts:
            continue
        cfg = config.load(path)
        model = cfg.get("model") or {}
        found.append(
            Recipe(
                name=(cfg.get("source") or {}).get("name") or cfg.identity,
                path=f"configs/{path.relative_to(root).as_posix()}",
                method=str(model.get("type", "")),
                net=str((model.get("net") or {}).get("type", "")),
                summary=config.summary(path),
            )
        )
    return found


def parts() -> dict[str, dict[str, str]]:
    """Name and first docstring line of everything of ours that a recipe can name."""
    from openstl_ext.methods.base import Method

    return {
        "method": registered(METHODS, lambda cls: issubclass(cls, Method)),
        "model": registered(MODELS),
        "dataset": registered(DATASETS),
        "metric": registered(METRICS),
    }


def registered(
    registry: Registry, wanted: Callable[[type], bool] = lambda _: True
) -> dict[str, str]:
    """Names of a registry with a line each."""
    registry.import_from_location()
    ours = {n: c for n, c in registry.module_dict.items() if c.__module__.startswith("openstl_ext")}
    return {
        name: (inspect.getdoc(cls) or "").partition("\n")[0]
        for name, cls in sorted(ours.items())
        if wanted(cls)
    }


def text(root: Path = ROOT) -> str:
    """Everything, for a terminal."""
    lines = ["recipes (python tools/train.py CONFIG)"]
    for recipe in recipes(root):
        lines.append(f"  {recipe.path}")
        lines.append(f"      {recipe.name} = {recipe.method} + {recipe.net}. {recipe.summary}")
    for kind, entries in parts().items():
        width = max(map(len, entries), default=0)
        lines += ["", f"{kind}s", *(f"  {n:<{width}}  {line}" for n, line in entries.items())]
    return "\n".join(lines)


def table(root: Path = ROOT) -> str:
    """Everything, as the tables of the README."""
    lines = ["| Recipe | Method + net | Config | |", "|---|---|---|---|"]
    for r in recipes(root):
        lines.append(f"| {r.name} | {r.method} + {r.net} | `{r.path}` | {r.summary} |")
    lines += ["", "| | Name | |", "|---|---|---|"]
    for kind, entries in parts().items():
        lines += [f"| {kind} | `{name}` | {line} |" for name, line in entries.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
