"""Scores that a run depends on: for the best checkpoint and for learning rate schedules."""

from collections.abc import Iterable, Sequence
from typing import Any

from openstl_ext.errors import ConfigError, nearest
from openstl_ext.score_name import metric_name


def keys_of(metric: Any) -> list[str]:
    """Return the names of a metric's overall scores."""
    keys = getattr(metric, "keys", None)
    keys = keys() if callable(keys) else keys
    return list(keys or [metric.name])


def metric_of(score: str, metrics: Sequence[Any], *, needed_by: str) -> Any:
    """Return the metric of a score such as ``dice`` or ``dice[site]``.

    Args:
        score: Name of the score.
        metrics: Metrics of the validation.
        needed_by: Config key that names the score.

    Raises:
        ConfigError: If no metric has the score, or it pools channels of different units. Without
            this check the run would fail after its first epoch.
    """
    metrics_by_key = {key: metric for metric in metrics for key in keys_of(metric)}
    # the number of leads is known only when data have been read
    known = [name for metric in metrics for name in _names(metric)]
    found = metrics_by_key.get(metric_name(score))
    if found is None or ("[" in score and score.partition("@")[0] not in known):
        raise ConfigError(f"{needed_by}={score!r} is not a score; {nearest(score, known)}")
    if "[" not in score and getattr(found, "is_undefined_for_all_channels", False):
        raise ConfigError(
            f"{needed_by}={score!r} pools channels of different units; name one channel, as in "
            f"{known[min(1, len(known) - 1)]!r}"
        )
    return found


def _names(metric: Any) -> list[str]:
    """Return the scores of a metric that do not depend on the data, without leads."""
    labels: tuple[str, ...] = getattr(metric, "labels", tuple)()
    keys = keys_of(metric)
    return keys + [f"{key}[{label}]" for key in keys for label in labels]


def check_plateaus(schedulers: Iterable[Any], metrics: Sequence[Any]) -> None:
    """Check that every schedule that waits for a score gets it, with the right direction.

    mmengine looks for the score after the first epoch, and takes lower for better by default.

    Args:
        schedulers: All parameter schedulers.
        metrics: Metrics of the validation; empty without validation.

    Raises:
        ConfigError: If the score does not exist, or the rule contradicts its metric.
    """
    for scheduler in schedulers:
        if not getattr(scheduler, "need_val_args", False):
            continue
        name, score = type(scheduler).__name__, scheduler.monitor
        if not metrics:
            raise ConfigError(
                f"param_scheduler: {name} monitors {score!r}, but there is no validation"
            )
        metric = metric_of(score, metrics, needed_by=f"param_scheduler: {name}.monitor")
        higher = metric.higher_is_better
        if higher is None:
            raise ConfigError(
                f"param_scheduler: {name} monitors {score!r}, which has no direction; name a "
                "score with one"
            )
        better = "greater" if higher else "less"
        if scheduler.rule != better:
            raise ConfigError(
                f"param_scheduler: {name} has rule={scheduler.rule!r}, but {score} is best when "
                f"{better}"
            )
