"""Scalars for the trackers, one line for each epoch, and the progress in between."""

import time
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import LoggerHook as PlainLoggerHook
from mmengine.runner import Runner
from torch import Tensor

from openstl_ext.engine.logs import RESULT, detail
from openstl_ext.hooks.epoch_line import EpochLine, figure, memory_text, overall, run_lines
from openstl_ext.hooks.run_summary import test_lines, training_lines
from openstl_ext.progress_line import display, is_first_process
from openstl_ext.progress_task import Task
from openstl_ext.registry import HOOKS


@HOOKS.register_module()
class LoggerHook(PlainLoggerHook):
    """Pass scalars to the trackers as mmengine does, and tell the state of the run in one line.

    An epoch, or a validation where the training counts iterations, has one line in the log: the
    mean loss, the validation scores, the learning rate, the time left, and whether the weights are
    the best so far. Between two of them the progress is shown as ``openstl_ext.progress_line``
    describes. The scores of single leads and classes are in ``scalars.jsonl`` and ``result.json``.

    The scores of a test are left to ``result.json``. mmengine's hook also writes them into a file
    named by the time: on every rank at once, so that two processes mix their lines, and with NaN,
    which is not JSON.
    """

    changes = "nothing"
    interval: int
    counts_iterations = False
    is_tested = False
    seconds: float | None = None

    def before_train(self, runner: Runner) -> None:
        self.counts_iterations = runner.train_loop.max_iterations is not None
        if self.counts_iterations:  # a short training logs its last iteration
            self.interval = min(self.interval, runner.max_iters)
        self.began = time.monotonic()
        for line in run_lines(runner):
            runner.logger.info(line)
        self.line = EpochLine(runner, counts_iterations=self.counts_iterations)
        self.task = self._begin(runner, "training", total=runner.max_iters, done=runner.iter)

    def before_train_epoch(self, runner: Runner) -> None:
        self._tell(runner)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ARG002
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        ends = self.end_of_epoch(runner.train_dataloader, batch_idx)
        short = not self.ignore_last or len(runner.train_dataloader) <= self.interval
        if self.every_n_inner_iters(batch_idx, self.interval) or (ends and short):
            tag, _ = runner.log_processor.get_log_after_iter(runner, batch_idx, "train")
            runner.visualizer.add_scalars(tag, step=runner.iter + 1, file_path=self.json_log_path)
        self.task.text = self.line.place
        if not self.counts_iterations:
            self.task.place = f"{batch_idx + 1}/{len(runner.train_dataloader)}"
        self.task.advance(facts=lambda: self._facts(outputs or {}))

    def after_train_epoch(self, runner: Runner) -> None:  # noqa: ARG002
        if not self.counts_iterations:
            self.line.trained()

    def after_train(self, runner: Runner) -> None:
        if self.counts_iterations and self.line.first < runner.iter:
            self.line.trained()
        self._tell(runner)
        display().pop(self.task)
        self.seconds = time.monotonic() - self.began

    def before_val_epoch(self, runner: Runner) -> None:
        text = f"{self.line.place}, validation" if runner.is_training else "validation"
        self.within = self._begin(runner, text, total=len(runner.val_dataloader))

    def after_val_iter(self, runner: Runner, *_: Any, **__: Any) -> None:  # noqa: ARG002
        self.within.advance()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        display().pop(self.within)
        length = len(runner.val_dataloader)
        tag, _ = runner.log_processor.get_log_after_epoch(runner, length, "val")
        step = 0
        if runner.is_training:
            step = runner.epoch if self.log_metric_by_epoch else runner.iter
            self.line.validated(metrics or {})
        else:
            runner.logger.info(f"validation: {scores_text(metrics or {})}")
        runner.visualizer.add_scalars(tag, step=step, file_path=self.json_log_path)

    def after_val(self, runner: Runner) -> None:
        if runner.is_training:  # after all hooks that choose the best weights
            self._tell(runner)

    def before_test_epoch(self, runner: Runner) -> None:
        self.within = self._begin(runner, "test", total=len(runner.test_dataloader))

    def after_test_iter(self, runner: Runner, *_: Any, **__: Any) -> None:  # noqa: ARG002
        self.within.advance()

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        display().pop(self.within)
        detail(runner.logger, f"test: {scores_text(metrics or {})}")
        self.is_tested = True

    def after_run(self, runner: Runner) -> None:
        super().after_run(runner)
        if runner.rank:
            return
        if runner.is_training:
            lines = training_lines(runner, self.seconds)
        else:
            lines = test_lines(runner) if self.is_tested else []
        if lines:
            runner.logger.info("\n".join(lines), extra=RESULT)

    def end_of_epoch(self, dataloader: Any, batch_idx: int) -> bool:
        """Return whether an epoch ends, which has no line of its own where iterations count."""
        return not self.counts_iterations and super().end_of_epoch(dataloader, batch_idx)

    def _begin(self, runner: Runner, text: str, *, total: int, done: int = 0) -> Task:
        unit = "" if text == "training" else "batches"
        task = Task(text, total=total, unit=unit, done=done, write=runner.logger.info)
        if is_first_process():
            display().push(task)
        return task

    def _tell(self, runner: Runner) -> None:
        """Log the line of what has been trained and validated since the last one, if there is."""
        if text := self.line.text(runner, left=self.task.seconds_left):
            runner.logger.info(text)
            display().said()

    @staticmethod
    def _facts(outputs: Mapping[str, Tensor]) -> dict[str, str]:
        """Return the loss of an iteration, for which a GPU has to be waited, and the memory."""
        loss = outputs.get("loss")
        shown = {} if loss is None else {"loss": figure(float(loss.detach().float().mean()))}
        return shown | ({"memory": used} if (used := memory_text()) else {})


def scores_text(metrics: Mapping[str, float]) -> str:
    """Return all overall scores in one line."""
    return "  ".join(f"{name} {figure(value)}" for name, value in overall(metrics).items())
