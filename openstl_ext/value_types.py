"""Types and ranges of the values in a config, checked by msgspec.

The annotations of a constructor are its schema: ``drop_path: DropProb = 0.0``. Annotations that no
plain value can have, such as a class, are not checked.
"""

import functools
import inspect
import re
import types
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from openstl_ext.errors import nearest, shown

Count = Annotated[int, Meta(ge=1)]
"""Whole number of at least 1."""
Index = Annotated[int, Meta(ge=0)]
"""Whole number of at least 0."""
ImageSize = Annotated[int, Meta(ge=1, le=4096)]
"""Height and width of frames that a dataset scales or draws, in pixels."""
Share = Annotated[float, Meta(ge=0, le=1)]
"""Number from 0 to 1."""
DropProb = Annotated[float, Meta(ge=0, lt=1)]
"""Probability of dropping, below 1: dropping everything leaves nothing to train."""
Positive = Annotated[float, Meta(gt=0)]
"""Number above 0."""
NonNegative = Annotated[float, Meta(ge=0)]
"""Number of at least 0."""

MISANNOTATED = {"vis_backends": list[dict[str, Any]]}
"""True types of arguments of mmengine; this one is annotated as a list of lists."""
WORDS = {"array": "list", "object": "dict", "null": "None"}
"""Names of types in msgspec's messages, and in Python."""
PLAIN = (type(None), bool, int, float, str, bytes)
LISTS = (list, tuple, set, frozenset)


def type_problem(value: Any, hint: Any, where: str) -> str | None:
    """Return how a value differs from an annotation, or None.

    Args:
        value: A plain value; one that contains an object, such as a built part, is not checked.
        hint: The annotation. A whole number fits ``float``; a list fits a tuple, and vice versa.
        where: Dotted key of the value.

    Returns:
        A sentence such as ``train_dataloader.drop_last: expected bool, got str: 'false'``.
    """
    if not _is_plain(value):
        return None
    checkable = _checkable(hint)
    if get_origin(checkable) is dict and isinstance(value, dict):  # msgspec does not name the key
        inner = get_args(checkable)[1]
        problems = (type_problem(value[key], inner, f"{where}.{key}") for key in value)
        return next(filter(None, problems), None)
    try:
        msgspec.convert(value, checkable, strict=True)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        return _sentence(message, *_at(value, where, path.removesuffix("`")), hint)
    return None


def _sentence(message: str, value: Any, place: str, hint: Any) -> str:
    """Return msgspec's message in the words of a config, with the place and the value."""
    if key := re.search(r"unknown field `(.*)`", message):
        fields = getattr(hint, "__struct_fields__", ())
        return f"{place}: there is no key {key[1]!r}" + (
            f"; {nearest(key[1], fields)}" if fields else ""
        )
    if key := re.search(r"missing required field `(.*)`", message):
        return f"{place}: it needs {key[1]!r}"
    if message.startswith("Invalid enum value"):
        choices = _choices(hint)
        close = nearest(str(value), map(str, choices))
        proposal = f"; {close}" if close.startswith("did you mean") else ""
        expected = " or ".join(map(repr, choices))
        return f"{place}: expected {expected}, not {shown(value)}{proposal}"
    for word, name in WORDS.items():
        message = re.sub(rf"\b{word}\b", name, message)
    message = message[0].lower() + message[1:].replace("`", "")
    return f"{place}: {message}{': ' if ', got ' in message else ', not '}{shown(value)}"


def argument_problems(cls: Any, given: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield how arguments differ from the annotations of a class's constructor.

    Args:
        cls: A class or a function.
        given: Arguments by name.
        where: Dotted key of the arguments; empty for none.
    """
    hints = _argument_hints(cls)
    for key, value in given.items():
        if key in hints:
            problem = type_problem(value, hints[key], f"{where}.{key}".lstrip("."))
            if problem is not None:
                yield problem


@functools.cache
def _argument_hints(cls: Any) -> dict[str, Any]:
    """Return the annotations of a constructor, and of those that its ``**kwargs`` are passed to."""
    found: dict[str, Any] = {}
    chain = [c for c in cls.__mro__ if "__init__" in vars(c)] if inspect.isclass(cls) else [cls]
    for owner in chain:
        function = owner.__init__ if inspect.isclass(owner) else owner
        try:
            parameters = inspect.signature(function).parameters.values()
            hints = get_type_hints(function, include_extras=True)
        except Exception:  # written in C, or annotations that only a type checker can resolve
            break
        for parameter in parameters:
            if (hint := hints.get(parameter.name)) is not None:
                optional = parameter.default is None
                hint = MISANNOTATED.get(parameter.name, hint)
                found.setdefault(parameter.name, hint | None if optional else hint)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


@functools.cache
def _checkable(hint: Any) -> Any:
    """Return an annotation that msgspec can check: a part that it cannot becomes ``Any``."""
    result = _simplified(hint)
    try:
        msgspec.convert(None, result, strict=False)
    except msgspec.ValidationError:
        pass
    except TypeError:  # such as two kinds of lists in one union
        return Any
    return result


def _simplified(hint: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if hint in (Any, *PLAIN) or hint is None or origin is Literal:
        return hint
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    if origin is Annotated:
        return Annotated[_simplified(inner[0]), *inner[1:]]  # type: ignore[misc]
    if origin in (Union, types.UnionType):
        # a member that no plain value has, such as a built part, matches none
        members = [_simplified(member) for member in inner if _simplified(member) is not Any]
        return Union[tuple(members)] if members and Any not in inner else Any  # noqa: UP007
    base = origin or hint
    if not isinstance(base, type) or issubclass(base, str | bytes):
        return Any
    if issubclass(base, tuple) and inner:
        parts = tuple(part if part is ... else _simplified(part) for part in inner)
        return tuple[parts]  # type: ignore[misc,valid-type]
    if issubclass(base, Mapping):
        value = _simplified(inner[1]) if len(inner) == 2 else Any
        return dict[str, value]  # type: ignore[misc,valid-type]
    if base in (list, tuple, set, Sequence, Iterable, Collection):
        value = _simplified(inner[0]) if len(inner) == 1 else Any
        return list[value]  # type: ignore[misc,valid-type]
    return Any


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    return all(map(_is_plain, value)) if isinstance(value, LISTS) else isinstance(value, PLAIN)


def _at(value: Any, where: str, path: str) -> tuple[Any, str]:
    """Return the value at a path of msgspec, and its dotted key; as far as the path has names."""
    for name, index in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", path):
        if index == "...":
            break
        value = value[name] if name else value[int(index)]
        where = f"{where}.{name or index}".lstrip(".")
    return value, where


def _choices(hint: Any) -> list[Any]:
    """Return the values of all literals of an annotation; a structure of ours has one at most."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    inner = get_args(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        inner = tuple(get_type_hints(hint).values())
    return [choice for member in inner for choice in _choices(member)]
