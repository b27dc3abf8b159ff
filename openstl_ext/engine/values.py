"""Numbers that no run can have, whatever its parts; elsewhere they end in a foreign traceback."""

from collections.abc import Iterator, Mapping
from typing import Any

from openstl_ext.errors import nearest

# Dotted path, the smallest and the largest whole number.
WHOLE: tuple[tuple[str, int, float], ...] = (
    ("seed", 0, 2**32 - 1),  # NumPy's
    ("train_cfg.max_epochs", 1, float("inf")),
    *((f"{phase}_dataloader.batch_size", 1, float("inf")) for phase in ("train", "val", "test")),
    *((f"{phase}_dataloader.num_workers", 0, float("inf")) for phase in ("train", "val", "test")),
)
# Dotted paths of numbers that are zero or larger.
RATES = tuple(f"optim_wrapper.optimizer.{name}" for name in ("lr", "weight_decay"))
LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET")


def bad_values(cfg: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the values of a config, and where."""
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


def _at(cfg: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    value: Any = cfg
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
