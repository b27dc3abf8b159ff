"""Which metric makes a score that a run waits for: to keep its best weights, to learn slower."""

from collections.abc import Iterable, Sequence
from typing import Any

from openstl_ext.errors import ConfigError, nearest


def keys_of(metric: Any) -> list[str]:
    """Names of a metric's scores, without their columns."""
    keys = getattr(metric, "keys", None)
    keys = keys() if callable(keys) else keys
    return list(keys or [metric.name])


def metric_of(score: str, metrics: Sequence[Any], *, asked_by: str) -> Any:
    """The metric that makes a score, as in ``dice`` or ``dice@site``.

    Args:
        score: Its key.
        metrics: Those of the validation.
        asked_by: What of the config names the score.

    Raises:
        ConfigError: If none makes it; after the first epoch it would be too late.
    """
    name, _, column = score.partition("@")
    keys = {key: metric for metric in metrics for key in keys_of(metric)}
    if (metric := keys.get(name)) is None:
        raise ConfigError(f"{asked_by}={score!r} is no score; {nearest(score, keys)}")
    classes = getattr(metric, "classes", None)  # how many leads there are, only the data know
    if column and classes is not None:
        known = [f"{name}@{each}" for each in metric.columns(len(classes))]
        if score not in known:
            raise ConfigError(f"{asked_by}={score!r} is no score; {nearest(score, [name, *known])}")
    return metric


def check_plateaus(schedulers: Iterable[Any], metrics: Sequence[Any]) -> None:
    """See that every schedule that waits for a score will get it, and knows which way is up.

    mmengine looks for the score after the first epoch, and takes lower for better unless told.

    Args:
        schedulers: All parameter schedulers.
        metrics: Those of the validation; empty where there is none.

    Raises:
        ConfigError: If there is no such score, or the rule contradicts its metric.
    """
    for scheduler in schedulers:
        if not getattr(scheduler, "need_val_args", False):
            continue
        name, score = type(scheduler).__name__, scheduler.monitor
        if not metrics:
            raise ConfigError(f"param_scheduler: {name} waits for {score!r}, and nothing validates")
        metric = metric_of(score, metrics, asked_by=f"param_scheduler: {name}.monitor")
        higher = metric.higher_is_better
        if higher is None:
            raise ConfigError(
                f"param_scheduler: {name} waits for more of {score!r}, which is neither better "
                "nor worse; name a score with a direction"
            )
        better = "greater" if higher else "less"
        if scheduler.rule != better:
            raise ConfigError(
                f"param_scheduler: {name} has rule={scheduler.rule!r}, but {score} is best when "
                f"{better}"
            )
