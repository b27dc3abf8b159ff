"""Compare a value read from JSON with the type it should have."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

NAMES = {dict: "an object", list: "a list", str: "a text", float: "a number", int: "an integer"}
NAMES |= {bool: "true or false", NoneType: "null"}


def problems(value: Any, hint: Any, where: str) -> Iterator[str]:
    """What does not fit, a sentence each; nothing if all does.

    Args:
        value: What ``json`` returned.
        hint: A class, ``list[...]``, ``dict[str, ...]``, a union, a TypedDict or ``Any``.
        where: Dotted path of the value, for the sentences.
    """
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return
    if origin in (Union, UnionType):
        if value is None and NoneType in inner:
            return
        found = [list(problems(value, kind, where)) for kind in inner if kind is not NoneType]
        if all(found):
            yield from found[0]
    elif is_typeddict(hint):
        yield from _misfits(value, hint, where)
    elif origin is dict:
        if not isinstance(value, dict):
            yield _sentence(value, dict, where)
            return
        for key, entry in value.items():
            yield from problems(entry, inner[1], f"{where}.{key}")
    elif origin is list:
        if not isinstance(value, list):
            yield _sentence(value, list, where)
            return
        for index, entry in enumerate(value):
            yield from problems(entry, inner[0], f"{where}.{index}")
    elif not _is(value, hint):
        yield _sentence(value, hint, where)


def _misfits(value: Any, hint: Any, where: str) -> Iterator[str]:
    """The same for an object whose keys are known."""
    if not isinstance(value, dict):
        yield _sentence(value, dict, where)
        return
    for key, kind in get_type_hints(hint).items():
        if key in value:
            yield from problems(value[key], kind, f"{where}.{key}")
        else:
            yield f"{where}.{key} is missing"


def _is(value: Any, cls: type) -> bool:
    """Whether a value is of a class, as JSON sees it: true is no number, 1 is a float."""
    if isinstance(value, bool):
        return cls is bool
    return isinstance(value, (int, float) if cls is float else cls)


def _sentence(value: Any, cls: type, where: str) -> str:
    shown = repr(value) if len(repr(value)) <= 40 else repr(value)[:37] + "..."
    return f"{where} should be {NAMES.get(cls, cls.__name__)}, not {shown}"
