"""Save a run at intervals, and the weights with the best validation score."""

import math
from typing import Any

from mmengine.runner import Runner

from openstl_ext.engine.checkpoint import KEEP_ALL
from openstl_ext.engine.run_hook import RunHook
from openstl_ext.engine.scores import check_monitor, keys_of, metric_of
from openstl_ext.errors import ConfigError
from openstl_ext.registry import HOOKS
from openstl_ext.value_types import Count


@HOOKS.register_module()
class ExactCheckpointHook(RunHook):
    """Save the complete state of a run for an exact resume, and the best weights.

    A checkpoint is saved before the validation at the same place, so a run that is killed in
    between still validates when it is resumed. If an epoch ends in the middle of an accumulation,
    the last update of the epoch is saved. The last iteration is always saved.

    Args:
        interval: Epochs or iterations between checkpoints. The default is one epoch, or, where
            the training counts iterations, the interval of validations.
        by_epoch: Whether the interval counts epochs; by default it counts as the training does.
        keep: Number of resumable checkpoints to keep; two, so that a damaged one loses little. -1
            or None keeps all.
        save_best: Key of the validation score that chooses ``best_epoch_<n>.pth`` or
            ``best_iter_<n>.pth``; ``auto`` takes that of the first metric, None saves none.
        rule: ``less`` or ``greater``; by default the direction of the metric.

    Raises:
        ConfigError: If an interval of iterations is not a multiple of ``accumulative_counts``, or
            if no metric has the key.
    """

    changes = "nothing"
    priority = "VERY_LOW"  # the saved state includes all other changes of an iteration

    def __init__(
        self,
        *,
        interval: Count | None = None,
        by_epoch: bool | None = None,
        keep: int | None = 2,
        save_best: str | None = "auto",
        rule: str | None = None,
    ) -> None:
        keep = KEEP_ALL if keep is None else keep
        if interval is not None and interval < 1:
            raise ConfigError(f"interval={interval} must be at least 1")
        if keep < 1 and keep != KEEP_ALL:
            raise ConfigError(f"keep={keep} must be at least 1, or -1 to keep all checkpoints")
        if rule not in (None, "less", "greater"):
            raise ConfigError(f"rule={rule!r} must be 'less' or 'greater'")
        self.given_interval, self.given_by_epoch, self.keep = interval, by_epoch, keep
        self.interval, self.by_epoch = interval or 1, by_epoch is not False
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
        self._check_interval(runner)
        if self.save_best is not None and metrics:
            self.save_best, _ = self.chosen(metrics)
            leads = runner.num_leads() if "@" in self.save_best else None
            self.rule = check_monitor(
                self.save_best, self.rule, metrics, needed_by="save_best", leads=leads
            )
        elif self.save_best not in (None, "auto"):
            check_monitor(self.save_best, self.rule, metrics, needed_by="save_best")

    def _check_interval(self, runner: Runner) -> None:
        loop, counts = runner.train_loop, self.accumulative_counts
        if loop.max_iterations is not None and self.given_by_epoch is None:
            self.by_epoch = False
            self.interval = self.given_interval or loop.val_interval
        if not self.by_epoch and self.interval % counts:
            raise ConfigError(
                f"checkpoints every {self.interval} iterations would cut an accumulation of "
                f"{counts} in two; set the interval of the checkpoint hook to a multiple of it"
            )
        if self.by_epoch and counts > len(runner.train_dataloader):
            raise ConfigError(
                f"accumulative_counts={counts} is more than the {len(runner.train_dataloader)} "
                "batches of an epoch; reduce it, or set by_epoch=False in the checkpoint hook"
            )

    def chosen(self, metrics: list[Any]) -> tuple[str, Any]:
        """Return the key that chooses the best weights, and its metric."""
        auto = self.save_best == "auto"
        wanted = keys_of(metrics[0])[0] if auto else str(self.save_best)
        return wanted, metric_of(wanted, metrics, needed_by="save_best")

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
        """Return whether a checkpoint is due after this many iterations."""
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
            runner.logger.warning(
                f"{self.save_best} is {value}, so these weights cannot be the best"
            )
            return
        before = runner.best_value(self.save_best)
        if before is None or (value < before if self.rule == "less" else value > before):
            runner.save_best(key=self.save_best, value=float(value), rule=self.rule)
