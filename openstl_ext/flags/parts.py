"""Find the datasets and nets of a config, and the arguments that take a flag.

A class states them in ``flag_arguments``, a mapping from the flag to the name of its argument:
``{"frames_in": "num_years"}``, or to several, separated by spaces: ``{"size": "in_shape.2
in_shape.3"}``, where a number is a place in a list. ``flag_refusals`` states why it takes a flag
not at all. A plugin takes part with the same two attributes.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openstl_ext.errors import ConfigError
from openstl_ext.registry import DATASETS, METHODS, MODELS, Registry

WITH_DATA = (
    *("train_dataloader", "val_dataloader", "test_dataloader", "val_cfg", "test_cfg"),
    *("default_hooks", "custom_hooks"),
)
"""Blocks that may have datasets."""


@dataclass(frozen=True)
class Part:
    """A part of a config with its class.

    Args:
        where: Dotted key of the part.
        settings: Its dict in the config.
        cls: Class of its ``type``.
    """

    where: str
    settings: Mapping[str, Any]
    cls: type

    def arguments(self, flag: str) -> list[str]:
        """Return the arguments that take a flag: the stated ones that the constructor has."""
        stated = _merged(self.cls, "flag_arguments").get(flag, "").split()
        return [path for path in stated if path.partition(".")[0] in self._parameters]

    def refusal(self, flag: str) -> str | None:
        """Return the stated reason for which a flag is not taken, if there is one."""
        return _merged(self.cls, "flag_refusals").get(flag)

    def value(self, argument: str) -> Any:
        """Return the value of a dotted argument: that of the config, else the default."""
        first, *rest = argument.split(".")
        value = self.settings.get(first, self._default(first))
        for key in rest:
            if isinstance(value, Mapping):
                value = value.get(key)
            elif isinstance(value, list | tuple) and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            else:
                return None
        return value

    def annotation(self, argument: str) -> Any:
        """Return the annotation of an argument; anything if it is a part of one."""
        if "." in argument or argument not in self._parameters:
            return Any
        return inspect.signature(self.cls, eval_str=True).parameters[argument].annotation

    def _default(self, name: str) -> Any:
        default = self._parameters[name].default if name in self._parameters else None
        return None if default is inspect.Parameter.empty else default

    @property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.cls).parameters


def datasets(config: Mapping[str, Any], blocks: tuple[str, ...] = WITH_DATA) -> list[Part]:
    """Return the datasets of the blocks of a config."""
    return [part for name in blocks for part in _parts(config.get(name), name, (DATASETS,))]


def net_and_method(config: Mapping[str, Any]) -> list[Part]:
    """Return the method of a config and the nets in it."""
    return list(_parts(config.get("model"), "model", (METHODS, MODELS)))


def _parts(value: Any, where: str, registries: tuple[Registry, ...]) -> Iterator[Part]:
    """Yield the registered parts in nested dicts and lists."""
    if isinstance(value, Mapping):
        cls = _class_of(value.get("type"), registries)
        if cls is not None:
            yield Part(where, value, cls)
        for key, inner in value.items():
            yield from _parts(inner, f"{where}.{key}", registries)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _parts(inner, f"{where}.{index}", registries)


def _class_of(kind: Any, registries: tuple[Registry, ...]) -> type | None:
    if not isinstance(kind, str):
        return None
    for registry in registries:
        try:
            found = registry.get(kind)
        except ConfigError:  # of another kind, or a mistake that the validation locates
            continue
        if isinstance(found, type):
            return found
    return None


def _merged(cls: type, attribute: str) -> dict[str, str]:
    """Return a table of a class, with the entries of its bases that it does not replace."""
    tables = [vars(base).get(attribute) or {} for base in reversed(cls.__mro__)]
    return {key: value for table in tables for key, value in table.items()}
