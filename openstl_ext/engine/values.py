"""Check values of a config that would otherwise fail inside a library, or be ignored."""

from collections.abc import Iterator, Mapping
from typing import Any

from openstl_ext.errors import nearest

LENGTHS = ("max_epochs", "max_iterations")
"""Keys of train_cfg that end the training; a config has one of them."""
# Dotted path, smallest and largest integer.
WHOLE: tuple[tuple[str, int, float], ...] = (
    ("seed", 0, 2**32 - 1),  # NumPy's
    *((f"train_cfg.{name}", 1, float("inf")) for name in (*LENGTHS, "val_interval")),
    *((f"{phase}_dataloader.batch_size", 1, float("inf")) for phase in ("train", "val", "test")),
    *((f"{phase}_dataloader.num_workers", 0, float("inf")) for phase in ("train", "val", "test")),
)
# Dotted paths of numbers that are zero or larger.
RATES = tuple(f"optim_wrapper.optimizer.{name}" for name in ("lr", "weight_decay"))
LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET")


def bad_values(cfg: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message for each invalid value of a config."""
    yield from _training_length(cfg.get("train_cfg"))
    for path, least, most in WHOLE:
        value = _at(cfg, path)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            bound = f"at least {least}" if most == float("inf") else f"{least} to {most}"
            yield f"{path}: a whole number, {bound}, is needed, not {value!r}"
    for path in RATES:
        value = _at(cfg, path)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (number and 0 <= value < float("inf")):
            yield f"{path}: a number of at least 0 is needed, not {value!r}"
    level = cfg.get("log_level")
    if level is not None and level not in LEVELS and not isinstance(level, int):
        yield f"log_level: there is no {level!r}; {nearest(str(level), LEVELS)}"


def _training_length(loop: Any) -> Iterator[str]:
    """Yield a message if the training is counted in no unit, or in two."""
    if not isinstance(loop, Mapping):
        return
    given = [name for name in LENGTHS if loop.get(name) is not None]
    typo = any(key.startswith("max") and key not in LENGTHS for key in loop)
    if not given and not typo:  # a typo is reported by its name
        yield "train_cfg: max_epochs or max_iterations is missing; set one of them"
    elif len(given) == 2:
        yield (
            f"train_cfg: max_epochs={loop['max_epochs']} and max_iterations="
            f"{loop['max_iterations']} exclude each other; set one of them to None"
        )


def _at(cfg: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, or None."""
    value: Any = cfg
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
