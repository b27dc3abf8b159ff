"""Read a config file and its bases, and merge them."""

import ast
from collections.abc import Collection
from pathlib import Path
from typing import Any

from openstl_ext.config.evaluation import BASE, Budget, Evaluator
from openstl_ext.config.names import find_base
from openstl_ext.config.syntax import parse_file
from openstl_ext.errors import ConfigError, shown

MAX_FILES = 100
"""Files that a config and all its bases may have; one that is read twice counts twice."""
DELETE = "_delete_"


def read(path: Path, blocks: Collection[str]) -> tuple[dict[str, Any], set[str]]:
    """Read a config with its bases.

    Args:
        path: The file.
        blocks: Names that are blocks, not variables.

    Returns:
        The merged values by name, and the names that the files use as variables.

    Raises:
        ConfigError: If a file is missing, includes itself, or holds more than plain values.
    """
    return _Reader(blocks).read(path, (), frozenset())


class _Reader:
    """Reader of one config and its bases, which share one budget of values."""

    def __init__(self, blocks: Collection[str]) -> None:
        self.blocks = blocks
        self.budget = Budget()
        self.files = 0

    def read(
        self, path: Path, chain: tuple[Path, ...], read: frozenset[str]
    ) -> tuple[dict[str, Any], set[str]]:
        """Read a file.

        Args:
            path: The file.
            chain: Files that include this one, the outermost first.
            read: Variables that the files of the chain read as ``_base_.name``.
        """
        self._count(path, chain)
        tree = parse_file(path)
        reads_here = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        base: dict[str, Any] = {}
        inherited: set[str] = set()
        for entry in self._bases(path, tree):
            file = find_base(path, entry)
            values, variables = self.read(file, (*chain, path), read | reads_here)
            if twice := sorted(base.keys() & values.keys()):
                raise ConfigError(
                    f"{path}: {', '.join(map(repr, twice))} is set by two bases, one of them "
                    f"{file}; remove one of both from {BASE}"
                )
            base |= values
            inherited |= variables
        used = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        _check_variables(path, tree, inherited.difference(used, read, self.blocks))
        evaluator = Evaluator(str(path), base, self.budget)
        for statement in tree.body:
            if not _is_base(statement):
                evaluator.run(statement)
        variables = (used | reads_here | inherited) - {BASE}
        return merge(evaluator.names, base, str(path)), variables

    def _count(self, path: Path, chain: tuple[Path, ...]) -> None:
        """Raise if a file includes itself, or if there are too many files."""
        if any(path.samefile(above) for above in chain if path.is_file()):
            files = " -> ".join(map(str, (*chain, path)))
            raise ConfigError(f"{path} includes itself: {files}; remove one entry of {BASE}")
        self.files += 1
        if self.files > MAX_FILES:
            raise ConfigError(f"{path}: a config and its bases have at most {MAX_FILES} files")

    def _bases(self, path: Path, tree: ast.Module) -> list[str]:
        """Return the entries of ``_base_``."""
        statements = [statement for statement in tree.body if _is_base(statement)]
        if not statements:
            return []
        evaluator = Evaluator(str(path), {}, self.budget)
        evaluator.run(statements[0])
        value = evaluator.names[BASE]
        entries = [value] if isinstance(value, str) else value
        if (
            len(statements) > 1
            or not isinstance(entries, list | tuple)
            or not all(isinstance(entry, str) for entry in entries)
        ):
            raise ConfigError(
                f"{path}: {BASE} is {shown(value)}; it is set once, to the path or name of a "
                "config, or to a list of them"
            )
        return list(entries)


def merge(own: dict[str, Any], base: dict[str, Any], path: str, where: str = "") -> dict[str, Any]:
    """Return the values of a base, replaced by those of a file, key by key in dicts.

    As in mmengine, a list replaces a list, and ``_delete_=True`` in a dict replaces the dict.

    Raises:
        ConfigError: If a dict would replace another value.
    """
    result = dict(base)
    for key, value in own.items():
        place = f"{where}.{key}".lstrip(".")
        if not isinstance(value, dict):
            result[key] = value
            continue
        child = {k: v for k, v in value.items() if k != DELETE}
        inherits = key in base and not value.get(DELETE, False)
        if inherits and not isinstance(base[key], dict):
            raise ConfigError(
                f"{path}: {place} is a dict, but {shown(base[key])} in a base; to replace it, add "
                f"{DELETE}=True to the dict"
            )
        result[key] = merge(child, base[key] if inherits else {}, path, place)
    return result


def _is_base(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == BASE


def _check_variables(path: Path, tree: ast.Module, inherited: Collection[str]) -> None:
    """Raise if a variable of a base gets a new value, which has no effect."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in inherited:
            raise ConfigError(
                f"{path}, line {node.lineno}: {node.id!r} is a variable of a base, and a new value "
                "changes nothing; set the key of a block instead, such as "
                "train_dataloader = dict(dataset=dict(root=...))"
            )
