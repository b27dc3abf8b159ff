"""Scores that a run depends on: for the best checkpoint and for learning rate schedules."""

from collections.abc import Iterable, Sequence
from typing import Any

from mmengine.hooks import EarlyStoppingHook

from openstl_ext.errors import ConfigError, nearest
from openstl_ext.score_name import metric_name


def keys_of(metric: Any) -> list[str]:
    """Return the names of a metric's overall scores."""
    keys = getattr(metric, "keys", None)
    keys = keys() if callable(keys) else keys
    return list(keys or [getattr(metric, "name", type(metric).__name__)])


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


def check_monitor(
    score: str,
    rule: str | None,
    metrics: Sequence[Any],
    *,
    needed_by: str,
    leads: int | None = None,
) -> str:
    """Check that a score exists that a part of a run waits for, and has the direction of its rule.

    Args:
        score: Name of the score.
        rule: ``less`` or ``greater``; None for that of the metric.
        metrics: Metrics of the validation; empty without validation.
        needed_by: Config key that names the score.
        leads: Number of future steps of a sample, if it is known.

    Returns:
        The direction in which the score is better: ``less`` or ``greater``.

    Raises:
        ConfigError: If no metric has the score, if it has no direction, or if the rule is another.
    """
    if not metrics:
        raise ConfigError(
            f"{needed_by}={score!r} needs a validation, and the config has none; add "
            "val_dataloader and val_evaluator, or remove it"
        )
    metric = metric_of(score, metrics, needed_by=needed_by)
    lead = score.rpartition("@")[2]
    if "@" in score and leads is not None and not (lead.isdecimal() and 1 <= int(lead) <= leads):
        raise ConfigError(
            f"{needed_by}={score!r} is not a score: the samples of the validation have "
            + (f"the leads 1 to {leads}" if leads else "labels, not leads")
        )
    if metric.higher_is_better is None:
        raise ConfigError(
            f"{needed_by}={score!r} has no direction, better when higher or when lower; name a "
            "score with one"
        )
    better = "greater" if metric.higher_is_better else "less"
    if rule not in (None, better):
        where = needed_by.rpartition(".")[0]
        raise ConfigError(
            f"{where + ': ' if where else ''}rule={rule!r}, but {score} is best when {better}; "
            "remove rule, or change it"
        )
    return better


def check_names(metrics: Iterable[Any], where: str) -> None:
    """Check that no two metrics compute a score of the same name.

    Args:
        metrics: Metrics of one evaluator.
        where: Config key of the evaluator.

    Raises:
        ConfigError: If two do; mmengine would fail after the first epoch.
    """
    owners: dict[str, Any] = {}
    for metric in metrics:
        for key in keys_of(metric):
            if (other := owners.setdefault(key, metric)) is not metric:
                raise ConfigError(
                    f"{where}: {type(other).__name__} and {type(metric).__name__} both compute "
                    f"{key!r}; remove one of them"
                )


def check_waiting(parts: Iterable[Any], metrics: Sequence[Any], leads: int | None) -> None:
    """Check every schedule and hook that waits for a score, before the training begins.

    mmengine looks for the score after the first epoch, or never.

    Args:
        parts: All parameter schedules and hooks.
        metrics: Metrics of the validation; empty without validation.
        leads: Number of future steps of a sample, if it is known.

    Raises:
        ConfigError: If the score does not exist, or the rule contradicts its metric.
    """
    for part in parts:
        if getattr(part, "need_val_args", False) or isinstance(part, EarlyStoppingHook):
            block = "custom_hooks" if isinstance(part, EarlyStoppingHook) else "param_scheduler"
            needed_by = f"{block}: {type(part).__name__}.monitor"
            check_monitor(part.monitor, part.rule, metrics, needed_by=needed_by, leads=leads)
