"""Translate short flags into entries of ``--cfg-options`` for a given config."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from openstl_ext.errors import ConfigError
from openstl_ext.flags import folder, schedule
from openstl_ext.flags.changes import Changes
from openstl_ext.flags.parts import WITH_DATA, Part, datasets, net_and_method
from openstl_ext.flags.values import Flags
from openstl_ext.value_types import type_problem

MEANS = {
    "frames_in": "the number of input frames",
    "frames_out": "the number of target frames",
    "size": "the size of the frames",
}
LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
OF_TEST = ("test_dataloader", "test_cfg")
PLAIN = re.compile(r"[A-Za-z_./~][\w./~-]*")
"""Texts that an override takes without quotes."""


def entries(
    config: Mapping[str, Any], flags: Flags, *, stated: Sequence[str] = (), only_test: bool = False
) -> list[str]:
    """Return the overrides that set what the flags mean, without those that change nothing.

    Args:
        config: The merged config, with ``--cfg-options`` applied.
        flags: The flags.
        stated: Entries of ``--cfg-options``, which must not set the same keys to other values.
        only_test: Whether the model is trained already: the flags describe the data of its test.

    Returns:
        Entries such as ``train_cfg.max_epochs=5``.

    Raises:
        ConfigError: If a flag contradicts ``stated``, or the config has nothing that it acts on.
    """
    changes = Changes(config, stated)
    if flags.data is not None:
        folder.move_data(changes, flags.data)
    folder.choose_loaders(changes)
    for flag in MEANS:
        if (value := getattr(flags, flag)) is not None:
            _describe_data(changes, flag, value, only_test=only_test)
    if flags.batch_size is not None:
        _set_batch_size(changes, flags.batch_size, OF_TEST if only_test else LOADERS)
    if flags.epochs is not None:
        schedule.set_epochs(changes, flags.epochs)
    if flags.lr is not None:
        schedule.set_rate(changes, flags.lr)
    return [f"{'+' * change.adds}{key}={_text(change.value)}" for key, change in changes]


def _describe_data(changes: Changes, flag: str, value: Any, *, only_test: bool) -> None:
    """Set the arguments of datasets and nets for lengths and sizes."""
    parts = datasets(changes.config, OF_TEST if only_test else WITH_DATA)
    taking = [part for part in parts if part.arguments(flag)]
    shaped = [part for part in net_and_method(changes.config) if _has(part, flag)]
    option = f"--{flag.replace('_', '-')}"
    if only_test:
        _refuse_other_shape(shaped, flag, value, option)
    for part in parts:
        if part not in taking:
            reason = part.refusal(flag) or (
                f"it has no argument for {MEANS[flag]}; a class states one in flag_arguments"
            )
            raise ConfigError(f"{option} does not fit {part.where}, {part.cls.__name__}: {reason}")
    if not taking:
        raise ConfigError(f"{option}: this config has no data; remove it")
    for part in taking if flag != "frames_out" else _as_long_as_test(taking):
        _set(changes, part, flag, value, option)
    for part in () if only_test else shaped:
        _set(changes, part, flag, value, option)


def _has(part: Part, flag: str) -> bool:
    """Return whether the config of a net fixes what a flag sets; else the data decide it."""
    stated = [argument.partition(".")[0] in part.settings for argument in part.arguments(flag)]
    return any(stated)


def _refuse_other_shape(shaped: list[Part], flag: str, value: Any, option: str) -> None:
    for part in shaped:
        for argument, wanted in _wanted(part, flag, value).items():
            if part.value(argument) != wanted:
                raise ConfigError(
                    f"{option}: the net was trained with {part.where}.{argument}="
                    f"{part.value(argument)}; train another with {option}"
                )


def _as_long_as_test(parts: list[Part]) -> list[Part]:
    """Return the datasets with the horizon of the test: training on fewer steps is kept.

    A method that predicts step by step may be trained on one step and tested on several.
    """
    horizons = {part.where: [part.value(a) for a in part.arguments("frames_out")] for part in parts}
    of_test = horizons.get("test_dataloader.dataset")
    return [part for part in parts if of_test in (None, horizons[part.where])]


def _wanted(part: Part, flag: str, value: Any) -> dict[str, Any]:
    """Return the values of the arguments of a part; height and width go to two, or to one."""
    arguments = part.arguments(flag)
    if flag != "size":
        return dict.fromkeys(arguments, value)
    if len(arguments) == 2:
        return dict(zip(arguments, value, strict=True))
    return dict.fromkeys(arguments, value[0] if value[0] == value[1] else value)


def _set(changes: Changes, part: Part, flag: str, value: Any, option: str) -> None:
    for argument, wanted in _wanted(part, flag, value).items():
        key = f"{part.where}.{argument}"
        if problem := type_problem(wanted, part.annotation(argument), key):
            raise ConfigError(f"{option}: {problem}")
        changes.set(key, wanted, option=option, default=part.value(argument))


def _set_batch_size(changes: Changes, size: int, blocks: Sequence[str]) -> None:
    present = [name for name in blocks if isinstance(changes.config.get(name), Mapping)]
    present = [name for name in present if name in LOADERS]
    if not present:
        raise ConfigError("--batch-size: this config has no data to batch; remove it")
    for name in present:
        changes.set(f"{name}.batch_size", size, option="--batch-size")


def _text(value: Any) -> str:
    """Return a value as an override writes it."""
    is_word = isinstance(value, str) and PLAIN.fullmatch(value) is not None
    return value if is_word and value not in ("None", "True", "False") else repr(value)
