"""Evaluate the expressions of a config without running code, and within bounds.

Only literals, names of the same file, values of bases, ``dict(...)`` and arithmetic have a value.
"""

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from openstl_ext.config.syntax import MAX_BITS, MAX_DEPTH
from openstl_ext.errors import ConfigError, nearest, shown

BASE = "_base_"
MAX_VALUES = 100_000
"""Values of a config and its bases, with intermediate ones; long strings count for several."""
NUMBER: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
SIGN: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
Sequence = (str, list, tuple)


class Budget:
    """Number of values that a config may still create."""

    def __init__(self) -> None:
        self.left = MAX_VALUES

    def spend(self, count: int) -> None:
        """Count values.

        Raises:
            ValueError: If there are too many.
        """
        self.left -= count
        if self.left < 0:
            raise ValueError(f"the config has more than {MAX_VALUES:,} values")

    def spend_on(self, value: Any) -> None:
        """Count a value and all values inside it."""
        self.spend(size_of(value))


def size_of(value: Any, depth: int = 0) -> int:
    """Return the number of values inside a value, itself included; 16 characters count as one.

    Raises:
        ValueError: If it is nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"values are nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return 1 + sum(1 + size_of(inner, depth + 1) for inner in value.values())
    if isinstance(value, list | tuple):
        return 1 + sum(size_of(inner, depth + 1) for inner in value)
    return 1 + len(value) // 16 if isinstance(value, str) else 1


class Evaluator:
    """Values of the expressions of one config file.

    Args:
        place: Path of the file, for messages.
        base: Merged values of its bases.
        budget: Number of values that the config may still create.

    Attributes:
        names: Values by the names that the file has assigned so far.
    """

    def __init__(self, place: str, base: dict[str, Any], budget: Budget) -> None:
        self.place, self.base, self.budget = place, base, budget
        self.names: dict[str, Any] = {}

    def run(self, statement: ast.stmt) -> None:
        """Execute an assignment, or pass a docstring.

        Raises:
            ConfigError: If the statement is another one, or its value is not allowed.
        """
        match statement:
            case ast.Expr(value=ast.Constant(value=str())):
                return
            case ast.Assign(targets=targets, value=expression):
                value = self.value(expression)
                try:
                    for target in targets:
                        self._assign(target, value)
                except ValueError as error:
                    raise self._error(statement, str(error)) from None
            case ast.Import() | ast.ImportFrom():
                raise self._error(
                    statement,
                    "imports are not allowed (plugins go into custom_imports = "
                    "dict(imports=[...]))",
                )
            case ast.Expr(value=expression):
                raise self._error(statement, f"{self._kind(expression)} without a name")
            case _:
                raise self._error(statement, f"{self._kind(statement)} is not allowed")

    def value(self, node: ast.expr, depth: int = 0) -> Any:
        """Return the value of an expression; it shares no dict or list with another one.

        Raises:
            ConfigError: With the line, if it is not allowed or has no value.
        """
        if depth > MAX_DEPTH:
            raise self._error(node, f"values are nested deeper than {MAX_DEPTH} levels")
        try:
            return self._value(node, depth + 1)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise self._error(node, str(error)) from None

    def _value(self, node: ast.expr, depth: int) -> Any:
        self.budget.spend(1)
        match node:
            case ast.Constant(value=value):
                return self._constant(value)
            case ast.List(elts=items):
                return list(self._items(items, depth))
            case ast.Tuple(elts=items):
                return tuple(self._items(items, depth))
            case ast.Dict(keys=keys, values=values):
                return self._dict(zip(keys, values, strict=True), depth)
            case ast.Call(func=ast.Name(id="dict"), args=positional, keywords=pairs):
                given = [(None, item) for item in positional[:1]]
                if len(positional) > 1 or any(isinstance(i, ast.Starred) for i in positional):
                    raise ValueError("dict(...) takes names and values, such as dict(type='L2')")
                named = [(pair.arg and ast.Constant(pair.arg), pair.value) for pair in pairs]
                return self._dict(iter([*given, *named]), depth, unique=True)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._copied(self._stored(node, depth))
            case ast.UnaryOp(op=op, operand=operand) if type(op) in SIGN:
                operand_value = self.value(operand, depth)
                if isinstance(operand_value, int | float):
                    return SIGN[type(op)](operand_value)
                raise TypeError(f"{shown(operand_value)} is not a number")
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(self.value(left, depth), op, self.value(right, depth))
            case ast.Set(elts=[ast.Set(elts=[ast.Attribute() as inner])]):  # {{_base_.name}}
                return self.value(inner, depth)
            case ast.Set(elts=[ast.Set()]):
                raise ValueError("nothing is substituted but {{_base_.name}}; write the value out")
            case ast.Call():
                raise ValueError(f"`{self._name(node.func)}(...)` is a call")
        raise ValueError(f"{self._kind(node)} is not allowed")

    def _constant(self, value: Any) -> Any:
        if isinstance(value, str):
            self.budget.spend_on(value)
            if "{{" in value and "}}" in value:
                raise ValueError(f"{shown(value)}: nothing is substituted in a text; write it out")
        elif type(value) is int and value.bit_length() > MAX_BITS:
            raise ValueError(f"a whole number has at most {MAX_BITS} bits")
        elif value is not None and type(value) not in (int, float, bool):
            raise ValueError(f"{type(value).__name__} is not allowed")
        return value

    def _items(self, items: list[ast.expr], depth: int) -> Iterator[Any]:
        for item in items:
            if not isinstance(item, ast.Starred):
                yield self.value(item, depth)
                continue
            spread = self.value(item.value, depth)
            if not isinstance(spread, list | tuple):
                raise TypeError(f"* needs a list or a tuple, not {shown(spread)}")
            yield from spread

    def _dict(
        self, pairs: Iterator[tuple[Any, ast.expr]], depth: int, *, unique: bool = False
    ) -> dict[Any, Any]:
        """Return a dict of pairs of nodes; a key of None spreads a dict."""
        found: dict[Any, Any] = {}
        for key, node in pairs:
            value = self.value(node, depth)
            if key is not None:
                own = {self.value(key, depth): value}
            elif isinstance(value, dict):
                own = value
            else:
                raise TypeError(f"** needs a dict, not {shown(value)}")
            if unique and (twice := sorted(map(str, own.keys() & found.keys()))):
                raise ValueError(f"{', '.join(map(repr, twice))} is given twice")
            found |= own
        return found

    def _stored(self, node: ast.expr, depth: int) -> Any:
        """Return what a name, or a place below it, stands for."""
        match node:
            case ast.Name(id=name) if name == BASE:
                return self.base
            case ast.Name(id=name):
                if name in self.names:
                    return self.names[name]
                if name in self.base:
                    raise ValueError(f"{name!r} is a name of a base; write {BASE}.{name}")
                names = {*self.names, "True", "False", "None"}
                raise ValueError(f"there is no name {name!r} in this file; {nearest(name, names)}")
            case ast.Attribute(value=inner, attr=key) if self._is_in_base(inner):
                if depth > MAX_DEPTH:
                    raise ValueError(f"more than {MAX_DEPTH} names in a row")
                place = self._stored(inner, depth + 1)
                if not isinstance(place, dict) or key not in place:
                    known = place if isinstance(place, dict) else ()
                    raise ValueError(f"the bases have no {key!r} there; {nearest(key, known)}")
                return place[key]
            case ast.Attribute():
                raise ValueError("attribute access is not allowed, other than of _base_")
            case ast.Subscript(value=inner, slice=ast.Slice(lower=lower, upper=upper, step=step)):
                ends = [
                    None if end is None else self.value(end, depth) for end in (lower, upper, step)
                ]
                return self.value(inner, depth)[slice(*ends)]
            case ast.Subscript(value=inner, slice=index):
                return self.value(inner, depth)[self.value(index, depth)]
        return self.value(node, depth)

    def _binary(self, left: Any, op: ast.operator, right: Any) -> Any:
        """Return the result of an operator, whose size is bounded before it is computed."""
        function = NUMBER.get(type(op))
        if function is None:
            raise ValueError(f"the operator {type(op).__name__} is not allowed")
        if isinstance(left, int | float) and isinstance(right, int | float):
            whole = left if isinstance(left, int) and isinstance(right, int) else 0
            if function is operator.pow and whole.bit_length() * right > 2 * MAX_BITS:
                raise ValueError(f"a whole number has at most {MAX_BITS} bits")
            return self._constant(function(left, right))
        if function is operator.add and isinstance(left, Sequence) and type(left) is type(right):
            self.budget.spend(size_of(left) + size_of(right))
            total: Any = function(left, right)
            return total
        if isinstance(right, Sequence):  # 3 * [1] is [1] * 3
            left, right = right, left
        if function is operator.mul and isinstance(left, Sequence) and type(right) is int:
            self.budget.spend(size_of(left) * max(right, 0))
            return self._copied(left * right)
        raise TypeError(f"{shown(left)} and {shown(right)} cannot be combined")

    def _copied(self, value: Any) -> Any:
        self.budget.spend_on(value)
        return copied(value)

    def _assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(id=name):
                self.names[name] = self._copied(value)
            case ast.Tuple(elts=targets) if isinstance(value, list | tuple):
                if len(targets) != len(value):
                    raise self._error(target, f"{len(targets)} names for {len(value)} values")
                for inner, item in zip(targets, value, strict=True):
                    self._assign(inner, item)
            case _:
                raise self._error(target, "only a name can be assigned")

    @staticmethod
    def _is_in_base(node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        return isinstance(node, ast.Name) and node.id == BASE

    @staticmethod
    def _name(node: ast.expr) -> str:
        return getattr(node, "id", None) or getattr(node, "attr", None) or "..."

    @staticmethod
    def _kind(node: ast.AST) -> str:
        return type(node).__name__.lower()

    def _error(self, node: ast.AST, problem: str) -> ConfigError:
        only = "; a config holds only numbers, strings, True, False, None, lists, tuples and dicts"
        remedy = only if problem.endswith(("is not allowed", "is a call")) else ""
        return ConfigError(f"{self.place}, line {getattr(node, 'lineno', '?')}: {problem}{remedy}")


def copied(value: Any) -> Any:
    """Return a copy of a plain value that shares no dict or list with it."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(copied, value))
    return value


def word_value(node: ast.expr, depth: int = 0) -> Any:
    """Return the value of constants, containers, words and ``dict(...)``.

    Words are strings, so that shells need fewer quotes: ``[a, none, 3]`` is ``["a", None, 3]``.

    Raises:
        ValueError: If the expression has another form, or is nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"values are nested deeper than {MAX_DEPTH} levels")
    depth += 1
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            words = {"true": True, "false": False, "none": None, "null": None}
            return words.get(name.lower(), name)
        case ast.List(elts=items):
            return [word_value(item, depth) for item in items]
        case ast.Tuple(elts=items):
            return tuple(word_value(item, depth) for item in items)
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {word_value(k, depth): word_value(v, depth) for k, v in pairs if k}
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=named):
            if all(pair.arg for pair in named):
                return {str(pair.arg): word_value(pair.value, depth) for pair in named}
        case ast.UnaryOp(op=op, operand=ast.Constant(value=int() | float() as number)):
            if isinstance(op, ast.USub | ast.UAdd):
                return SIGN[type(op)](number)
    raise ValueError(f"{type(node).__name__.lower()} is not a plain value")
