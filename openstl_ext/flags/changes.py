"""Changes of a config by flags: what they set, and whether an override contradicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openstl_ext.errors import ConfigError


@dataclass(frozen=True)
class Change:
    """A new value.

    Args:
        value: The value.
        adds: Whether the config has no such key.
    """

    value: Any
    adds: bool


class Changes:
    """Values to set in a config, by dotted key.

    Args:
        config: The merged config, which is not changed.
        stated: Entries of ``--cfg-options``.
    """

    def __init__(self, config: Mapping[str, Any], stated: Sequence[str]) -> None:
        self.config = config
        self._stated = {
            entry.partition("=")[0].lstrip("+").strip(): entry for entry in reversed(stated)
        }
        self._changes: dict[str, Change] = {}

    def __iter__(self) -> Iterator[tuple[str, Change]]:
        return iter(self._changes.items())

    def set(
        self, key: str, value: Any, *, option: str, default: Any = None, follows: bool = False
    ) -> None:
        """Set a value, unless it is that of the config or, without one there, the default.

        A list or tuple is replaced completely, as an override does it.

        Args:
            key: Dotted key; a number is a place in a list or tuple.
            value: The value.
            option: The flag, for messages.
            default: Value of the part without the key.
            follows: Whether the value only follows from the flag: an override of it has priority.

        Raises:
            ConfigError: If ``--cfg-options`` sets the key to another value.
        """
        above, _, last = key.rpartition(".")
        holder = self.get(above)
        if isinstance(holder, list | tuple) and not isinstance(holder[int(last)], Mapping):
            items = list(holder)
            items[int(last)] = value
            self.set(above, type(holder)(items), option=option, follows=follows)
            return
        has_key = isinstance(holder, list) or (isinstance(holder, Mapping) and last in holder)
        if _same(self.get(key) if has_key else default, value):
            return
        if stated := self.stated(key):
            if follows:
                return
            raise ConfigError(
                f"{option} sets {key}={value}, which contradicts --cfg-options {stated}; give one "
                "of them"
            )
        self._changes[key] = Change(value, adds=not has_key)

    def get(self, key: str) -> Any:
        """Return the value of a dotted key with the changes so far; None without one."""
        if key in self._changes:
            return self._changes[key].value
        value: Any = self.config
        for part in key.split("."):
            if isinstance(value, Mapping):
                value = value.get(part)
            elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                return None
        return value

    def stated(self, key: str) -> str | None:
        """Return the override of a key, of a block that has it, or of a part of its value."""
        for other, entry in self._stated.items():
            if key == other or key.startswith(f"{other}.") or other.startswith(f"{key}."):
                return entry
        return None


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return list(one) == list(other)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
