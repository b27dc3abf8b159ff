"""Lines of the log, and no file beside the record."""

from mmengine.hooks import LoggerHook as PlainLoggerHook
from mmengine.runner import Runner

from openstl_ext.registry import HOOKS


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
