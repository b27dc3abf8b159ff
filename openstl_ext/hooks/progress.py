"""Set the iteration of the method, and pass losses to the log."""

from typing import Any

from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.runner import Runner
from torch import Tensor, stack

from openstl_ext.engine.guards import ends_epoch
from openstl_ext.engine.state import unwrap
from openstl_ext.registry import HOOKS

HISTORY, UNLIMITED = 10_000, 1_000_000


@HOOKS.register_module()
class ProgressHook(RuntimeInfoHook):
    """Set ``method.iteration`` before each step; read losses only when they are logged.

    It replaces mmengine's RuntimeInfoHook, which reads each term at each iteration, so that a GPU
    waits for the CPU at every step.
    """

    changes = "nothing"

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        self.pending: list[dict[str, Tensor]] = []
        intervals = [hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self.interval = min(intervals, default=1)
        self.method: Any = unwrap(runner.model)
        self.history = history_length(runner)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.method.iteration = runner.iter
        super().before_train_iter(runner, batch_idx, data_batch)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ARG002
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        self.pending.append({k: v.detach() for k, v in (outputs or {}).items()})
        if (batch_idx + 1) % self.interval == 0 or ends_epoch(runner):
            self.pass_losses(runner)

    def before_val(self, runner: Runner) -> None:
        if runner.is_training:  # iterations may be counted, so that no epoch ends here
            self.pass_losses(runner)
        super().before_val(runner)

    def pass_losses(self, runner: Runner) -> None:
        """Pass all losses since the last call to the message hub, in one transfer."""
        names = [name for terms in self.pending for name in terms]
        if names:
            values = stack([v.float().mean() for terms in self.pending for v in terms.values()])
            for name, value in zip(names, values.tolist(), strict=True):
                runner.message_hub.update_scalar(f"train/{name}", value)
        self.pending.clear()
        for buffer in runner.message_hub.log_scalars.values():
            buffer.max_length = self.history


def history_length(runner: Runner) -> int:
    """Return how many values of a scalar the log can average over, at least ``HISTORY``.

    mmengine keeps a million, and copies all of them at each iteration.
    """
    windows = [entry.get("window_size") for entry in runner.log_processor.custom_cfg]
    if "global" in windows:
        return UNLIMITED
    numbers = [w for w in [runner.log_processor.window_size, *windows] if isinstance(w, int)]
    loaders = (runner.train_dataloader, getattr(runner.val_loop, "dataloader", ()))
    return max(HISTORY, *numbers, *map(len, loaders))
