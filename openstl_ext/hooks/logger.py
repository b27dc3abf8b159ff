"""Log lines, and what is left to other files."""

import re
from typing import Any

from mmengine.hooks import LoggerHook as PlainLoggerHook
from mmengine.runner import LogProcessor, Runner

from openstl_ext.registry import HOOKS, LOG_PROCESSORS


@HOOKS.register_module()
class LoggerHook(PlainLoggerHook):
    """Log scalars as mmengine does, but leave the scores of a test to ``result.json``.

    mmengine's hook also writes them into a file named by the time: on every rank at once, so that
    two processes mix their lines, and with NaN, which is not JSON.
    """

    changes = "nothing"
    interval: int
    counts_iterations = False

    def before_train(self, runner: Runner) -> None:
        self.counts_iterations = runner.train_loop.max_iterations is not None
        if self.counts_iterations:  # a short training logs its last iteration
            self.interval = min(self.interval, runner.max_iters)

    def end_of_epoch(self, dataloader: Any, batch_idx: int) -> bool:
        """Return whether an epoch ends, which has no line of its own where iterations count."""
        return not self.counts_iterations and super().end_of_epoch(dataloader, batch_idx)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:  # noqa: ARG002
        length = len(runner.test_dataloader)
        _, line = runner.log_processor.get_log_after_epoch(runner, length, "test")
        runner.logger.info(line)


LEAD = re.compile(r" *\S+@\d+: \S+")
VALIDATION = re.compile(r"^Iter\(val\) \[\d+/\d+\]")


@LOG_PROCESSORS.register_module()
class LogLines(LogProcessor):
    """Omit the scores of single leads from the log; the trackers and the record contain them."""

    def get_log_after_epoch(
        self, runner: Runner, batch_idx: int, mode: str, with_non_scalar: bool = False
    ) -> tuple[dict[str, Any], str]:
        """Return all scalars for the trackers, and the line of the log."""
        scalars, line = super().get_log_after_epoch(runner, batch_idx, mode, with_non_scalar)
        if VALIDATION.match(line) and runner.is_training:
            # mmengine writes the number of batches here, which does not show the place in the run
            line = VALIDATION.sub(f"Iter(val) [{runner.iter}/{runner.max_iters}]", line)
        return scalars, LEAD.sub("", line)
