"""Overrides of ``--cfg-options``: set single values of a config by their dotted keys."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from openstl_ext.config.evaluation import word_value
from openstl_ext.config.syntax import MAX_DEPTH, not_plain, parse_value
from openstl_ext.errors import ConfigError, nearest, shown

MAX_LENGTH = 10_000
"""Characters of one override."""
SHORT = {"checkpoint": "default_hooks.checkpoint", "logger": "default_hooks.logger"}
"""First words of keys that stand for hooks which every run has."""


def full(override: str) -> str:
    """Return an override with its key in full, as in ``default_hooks.checkpoint.keep=-1``."""
    plus = "+" if override.startswith("+") else ""
    first, dot, rest = override.removeprefix("+").partition(".")
    return f"{plus}{SHORT[first]}.{rest}" if dot and first in SHORT else override


def check_consistent(overrides: Sequence[str], options: Mapping[str, tuple[str, Any]]) -> None:
    """Check that no entry undoes another one, or an option that sets the same key.

    Args:
        overrides: Entries of ``--cfg-options`` of one command.
        options: The key that an option sets, with the option and its value, None if not given.

    Raises:
        ConfigError: If a key gets two values.
    """
    seen: dict[str, str] = {}
    for entry in overrides:
        key, _, text = full(entry).removeprefix("+").partition("=")
        key = key.strip()
        for other, before in seen.items():
            is_same = other == key and before.partition("=")[2] == text
            if not is_same and f"{other}.".startswith(f"{key}."):
                raise ConfigError(
                    f"--cfg-options {_cut(before)} and {_cut(entry)} both set {other}; give one of "
                    "them"
                )
        seen[key] = entry
        option, value = options.get(key, ("", None))
        if value is not None and parse(text, current=value, where=key) != value:
            raise ConfigError(
                f"{option} {value} contradicts --cfg-options {_cut(entry)}; give one of them"
            )


def apply(config: dict[str, Any], overrides: Sequence[str], *, optional: Sequence[str]) -> None:
    """Set values such as ``a.b.0.c=value`` in a nested config, in place.

    A dict replaces the complete dict. Strings need no quotes. ``+a.b=value`` adds a key.

    Args:
        config: The nested dicts and lists.
        overrides: Entries of the form ``key=value``.
        optional: Dotted keys that may be set although the config does not have them.

    Raises:
        ConfigError: If a key does not exist, with the nearest ones; if a value is not plain, or is
            a string in place of a number.
    """
    for override in overrides:
        key, equals, text = override.partition("=")
        add, path = key.startswith("+"), key.removeprefix("+").strip()
        if not equals or not all(path.split(".")):
            raise ConfigError(
                f"--cfg-options expects key=value, such as seed=1; got {shown(override)}"
            )
        if len(override) > MAX_LENGTH or path.count(".") > MAX_DEPTH // 2:
            raise ConfigError(
                f"--cfg-options {shown(override)}: an override has at most {MAX_LENGTH:,} "
                f"characters and {MAX_DEPTH // 2} dots in its key"
            )
        *above, last = path.split(".")
        place: Any = config
        for depth, part in enumerate(above):
            place = _inside(place, part, above[:depth], add=add, override=_cut(override))
        add = add or path in optional
        _set(place, last, above, text, add=add, override=_cut(override))


def _inside(place: Any, part: str, above: list[str], *, add: bool, override: str) -> Any:
    """Return the value one level below."""
    if add and isinstance(place, dict) and place.get(part) is None:
        place[part] = {}
    return place[_key(place, part, above, override=override)]


def _set(place: Any, last: str, above: list[str], text: str, *, add: bool, override: str) -> None:
    """Replace or add a value."""
    if isinstance(place, list) and add and last == str(len(place)):
        place.append(None)
    elif isinstance(place, dict) and add:
        place.setdefault(last, None)
    key = _key(place, last, above, override=override)
    place[key] = parse(text, current=place[key], where=".".join((*above, last)))


def _key(place: Any, part: str, above: list[str], *, override: str) -> str | int:
    """Return the key or the index of an existing entry."""
    where = ".".join(above) or "the config"
    if isinstance(place, dict):
        if part in place:
            return part
        raise ConfigError(
            f"--cfg-options {override}: {where} has no {part!r}; {nearest(part, place)} "
            f"(to add a key, write +{override.lstrip('+')})"
        )
    if isinstance(place, list | tuple):
        index = int(part) if re.fullmatch(r"-?[0-9]{1,6}", part) else len(place)
        if isinstance(place, list) and -len(place) <= index < len(place):
            return index
        raise ConfigError(
            f"--cfg-options {override}: {where} is a {type(place).__name__} of {len(place)} items, "
            + (
                "numbered from 0"
                if isinstance(place, list)
                else "which can only be replaced completely"
            )
        )
    raise ConfigError(f"--cfg-options {override}: {where} is {shown(place)} and has no {part!r}")


def parse(text: str, *, current: Any = None, where: str = "") -> Any:
    """Parse a value as a Python literal, or as a string.

    Args:
        text: The text after the ``=``.
        current: The value to be replaced, whose type decides: ``2024`` for a folder is a string,
            and ``1,2`` for a list is a list.
        where: Dotted key of the value, for messages.

    Raises:
        ConfigError: If a string would replace a number, or a single value a block, or the value is
            not plain.
    """
    brief = _cut(text)
    try:
        value = word_value(parse_value(text))
    except ValueError as error:
        value = text
        if text.strip()[:1] + text.strip()[-1:] in ("[]", "()", "{}"):
            raise ConfigError(
                f"--cfg-options {where}={brief}: {error}; put a text into quotes"
            ) from None
    if isinstance(current, str) and isinstance(value, int | float) and type(value) is not bool:
        value = text
    if isinstance(current, list) and isinstance(value, tuple):
        value = list(value)
    if problems := list(not_plain(value, where)):
        raise ConfigError(f"--cfg-options {where}={brief}: {problems[0]}")
    if isinstance(value, str) and isinstance(current, int | float) and where != "resume":
        kind = "True or False" if isinstance(current, bool) else "a number"
        raise ConfigError(
            f"--cfg-options {where}={brief}: {where} is {current!r}, so {kind} is expected"
        )
    if isinstance(current, dict) and value is not None and not isinstance(value, dict):
        example = f"{where}.{next(iter(current), 'type')}"
        raise ConfigError(
            f"--cfg-options {where}={brief}: {where} is a block; set its keys, as in {example}=..."
        )
    return value


def _cut(text: str) -> str:
    """Return a text for a message, shortened if it is long."""
    return text if len(text) <= 200 else f"{text[:200]}..."
