"""When to save a run, and which of its states was best."""

import math
from typing import Any

from mmengine.runner import Runner

from openstl_ext.engine.run_hook import RunHook
from openstl_ext.engine.scores import keys_of, metric_of
from openstl_ext.errors import ConfigError
from openstl_ext.registry import HOOKS


@HOOKS.register_module()
class ExactCheckpointHook(RunHook):
    """Save whatever a run needs to go on as if it had never stopped, and the best weights.

    An epoch's last checkpoint comes before its validation, so a run that is killed in between
    still validates when it goes on. Where an epoch ends in the middle of an accumulation, it is
    the last update of the epoch that is saved. The last iteration is always saved.

    Args:
        interval: Epochs, or iterations, between checkpoints.
        by_epoch: Whether the interval counts epochs.
        keep: Number of resumable checkpoints to keep; two, so that a damaged one loses little.
        save_best: Key of the validation score that chooses ``best_epoch_<n>.pth``; ``auto`` takes
            the first metric's, None keeps no best.
        rule: ``less`` or ``greater``; by default as the metric says which is better.

    Raises:
        ConfigError: If an interval of iterations is no multiple of ``accumulative_counts``, or
            the key is none of the evaluator's.
    """

    priority = "VERY_LOW"  # whatever else happens in an iteration belongs to the saved state

    def __init__(
        self,
        *,
        interval: int = 1,
        by_epoch: bool = True,
        keep: int = 2,
        save_best: str | None = "auto",
        rule: str | None = None,
    ) -> None:
        if interval < 1 or keep < 1:
            raise ConfigError(f"interval and keep are at least 1, got {interval} and {keep}")
        if rule not in (None, "less", "greater"):
            raise ConfigError(f"rule is 'less' or 'greater', not {rule!r}")
        self.interval, self.by_epoch, self.keep = interval, by_epoch, keep
        self.save_best, self.rule = save_best, rule
        self.accumulative_counts = 1

    def check(self, runner: Runner, metrics: list[Any], accumulative_counts: int) -> None:
        """Compare with the rest of the config, before the run begins.

        Args:
            runner: The run.
            metrics: Metrics of the validation; empty where there is none.
            accumulative_counts: Iterations that share one update.
        """
        self.accumulative_counts = accumulative_counts
        if not self.by_epoch and self.interval % accumulative_counts:
            raise ConfigError(
                f"checkpoints every {self.interval} iterations would cut an accumulation of "
                f"{accumulative_counts} in two; make the interval a multiple of it"
            )
        if accumulative_counts > len(runner.train_dataloader):
            raise ConfigError(
                f"accumulative_counts={accumulative_counts} is more than the "
                f"{len(runner.train_dataloader)} batches of an epoch"
            )
        if self.save_best is not None and metrics:
            self.save_best, metric = self.chosen(metrics)
            if metric.higher_is_better is None:
                raise ConfigError(
                    f"save_best={self.save_best!r} has no best: more of it is neither better nor "
                    "worse; name a score with a direction"
                )
            better = "greater" if metric.higher_is_better else "less"
            self.rule = self.rule or better
            if self.rule != better:
                raise ConfigError(f"rule={self.rule!r}, but {self.save_best} is best when {better}")
        elif self.save_best not in (None, "auto"):
            raise ConfigError(f"save_best={self.save_best!r} needs a validation; there is none")

    def chosen(self, metrics: list[Any]) -> tuple[str, Any]:
        """The key that chooses the best, and its metric."""
        auto = self.save_best == "auto"
        wanted = keys_of(metrics[0])[0] if auto else str(self.save_best)
        return wanted, metric_of(wanted, metrics, asked_by="save_best")

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,  # noqa: ARG002
        data_batch: Any = None,  # noqa: ARG002
        outputs: Any = None,  # noqa: ARG002
    ) -> None:
        done = runner.iter + 1
        if done == runner.max_iters or self.due(done, len(runner.train_dataloader)):
            runner.save_resumable(epoch=runner.epoch, iteration=done)

    def due(self, done: int, epoch_length: int) -> bool:
        """Whether a checkpoint belongs after this many iterations."""
        if not self.by_epoch:
            return done % self.interval == 0
        period, counts = self.interval * epoch_length, self.accumulative_counts
        # the end of this period, rounded down to an update
        end = -(-done // period) * period
        return done == end - end % counts

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if self.save_best is None or not runner.is_training:
            return
        value = (metrics or {}).get(self.save_best)
        if value is None or not math.isfinite(value):
            runner.logger.warning(f"{self.save_best} is {value}, so this epoch cannot be the best")
            return
        before = runner.best_value(self.save_best)
        if before is None or (value < before if self.rule == "less" else value > before):
            runner.save_best(key=self.save_best, value=float(value))
