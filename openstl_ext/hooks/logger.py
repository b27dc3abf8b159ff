"""Lines of the log: what they contain and what is left to other files."""

import re
from typing import Any

from mmengine.hooks import LoggerHook as PlainLoggerHook
from mmengine.runner import LogProcessor, Runner

from openstl_ext.registry import HOOKS, LOG_PROCESSORS


@HOOKS.register_module()
class LoggerHook(PlainLoggerHook):
    """Log scalars as mmengine does, but leave the scores of a test to ``result.json``.

    mmengine's own writes them once more into a file of the time's name, on every rank at once, so
    that two processes tear it, and with NaN, which is no JSON.
    """

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:  # noqa: ARG002
        length = len(runner.test_dataloader)
        _, line = runner.log_processor.get_log_after_epoch(runner, length, "test")
        runner.logger.info(line)


LEAD = re.compile(r" *\S+@\d+: \S+")


@LOG_PROCESSORS.register_module()
class LogLines(LogProcessor):
    """Leave the scores of single leads out of the log; the trackers and the record have them."""

    def get_log_after_epoch(
        self, runner: Runner, batch_idx: int, mode: str, with_non_scalar: bool = False
    ) -> tuple[dict[str, Any], str]:
        """What the trackers get, in full, and the line of the log."""
        scalars, line = super().get_log_after_epoch(runner, batch_idx, mode, with_non_scalar)
        return scalars, LEAD.sub("", line)
