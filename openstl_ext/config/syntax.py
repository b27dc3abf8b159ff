"""Syntax of config files: plain values only.

Loading a config of another person must not run its code. A value that is not plain, such as a
function or a tensor, would fail much later, when mmengine writes the config into a checkpoint.
"""

import ast
import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from openstl_ext.config.names import bases_of, find_base
from openstl_ext.errors import ConfigError

BASE = "_base_"
ALLOWED = (
    ast.Module,
    ast.Assign,
    ast.Expr,  # docstrings
    ast.Constant,
    ast.Name,
    ast.Dict,
    ast.List,
    ast.Tuple,
    ast.Set,  # `{{_base_.lr}}` is parsed as a set in a set
    ast.Call,
    ast.keyword,
    ast.BinOp,
    ast.UnaryOp,
    ast.Subscript,
    ast.Slice,
    ast.Starred,
    ast.operator,
    ast.unaryop,
    ast.expr_context,
)


def check_file(
    path: Path, blocks: Collection[str] = (), read: frozenset[str] = frozenset()
) -> set[str]:
    """Raise if a config file or one of its bases does more than assign plain values.

    Args:
        path: The file.
        blocks: Names that are blocks, not variables.
        read: Variables that child files read as ``_base_.name``.

    Returns:
        Names that the files use as variables.

    Raises:
        ConfigError: With the file and the line.
    """
    tree = _parse(path)
    used: set[str] = set()
    read_here: set[str] = set()
    inherited: set[str] = set()
    for node in ast.walk(tree):
        if problem := _problem(node):
            raise ConfigError(
                f"{path}, line {getattr(node, 'lineno', '?')}: {problem}; a config holds only "
                "numbers, strings, True, False, None, lists, tuples and dicts"
            )
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            used.add(node.id)
        elif isinstance(node, ast.Attribute):
            read_here.add(node.attr)
    for base in bases_of(tree):
        inherited |= check_file(find_base(path, base), blocks, read | read_here)
    _check_variables(path, tree, inherited.difference(used, read, blocks))
    return (used | read_here | inherited) - {BASE}


def _parse(path: Path) -> ast.Module:
    if not path.is_file():
        raise ConfigError(f"there is no config {path}")
    if path.suffix != ".py":
        raise ConfigError(f"{path}: a config is a Python file, so its name ends in .py")
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise ConfigError(f"{path}, line {line}: {getattr(error, 'msg', error)}") from None


def _check_variables(path: Path, tree: ast.Module, inherited: Collection[str]) -> None:
    """Raise if a variable of a base gets a new value, which has no effect."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in inherited:
            raise ConfigError(
                f"{path}, line {node.lineno}: {node.id!r} is a variable of a base, and a new value "
                "changes nothing; set the key of a block instead, such as "
                "train_dataloader = dict(dataset=dict(root=...))"
            )


def summary(path: Path) -> str:
    """Return the first line of a config's docstring; empty without one."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    return (text or "").partition("\n")[0]


def _problem(node: ast.AST) -> str | None:
    """Return why a node is not allowed, or None."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "imports are not allowed (plugins go into custom_imports = dict(imports=[...]))"
    if isinstance(node, ast.Attribute):
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        return None if isinstance(inner, ast.Name) and inner.id == BASE else "attribute access"
    if isinstance(node, ast.Call):
        plain = isinstance(node.func, ast.Name) and node.func.id == "dict"
        return None if plain else f"`{ast.unparse(node)}` is a call"
    if isinstance(node, ALLOWED):
        return None
    return f"{type(node).__name__.lower()} is not allowed"


def evaluate(text: str) -> Any:
    """Parse a plain value in the syntax of a config.

    Words are strings, so that shells need fewer quotes: ``[a, none, 3]`` is ``["a", None, 3]``.

    Raises:
        ValueError: If the text is not a plain value.
    """
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError as error:
        raise ValueError(str(error)) from None


def _value(node: ast.expr) -> Any:
    """Return the value of an expression of constants, containers, words and ``dict(...)``."""
    match node:
        case ast.Name(id=name):
            words = {"true": True, "false": False, "none": None, "null": None}
            return words.get(name.lower(), name)
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_value(k): _value(v) for k, v in zip(keys, values, strict=True) if k}
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=pairs):
            if all(pair.arg for pair in pairs):
                return {str(pair.arg): _value(pair.value) for pair in pairs}
    return ast.literal_eval(node)


def not_plain(value: Any, where: str = "") -> Iterator[str]:
    """Yield the dotted key and the type of each value that is not plain."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                yield f"{where}: the key {key!r} is not a string"
            yield from not_plain(inner, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from not_plain(inner, f"{where}.{index}")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{where} is {value}, which a config file cannot hold; leave the key out, or use None"
    elif value is not None and type(value) not in (str, int, float, bool):
        yield f"{where} is a {type(value).__name__}, which is not a plain value"
