"""Base class of hooks that take part in the preparation and the saving of a run."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner


class RunHook(Hook):
    """Hook with two further stages, each with a default.

    Attributes:
        keep: Number of resumable checkpoints to keep; None leaves it to other hooks.
    """

    keep: int | None = None

    def check(self, runner: Runner, metrics: list[Any], accumulative_counts: int) -> None:
        """Compare the hook with the rest of the config, before the training begins.

        Args:
            runner: The run, with all its parts built.
            metrics: Metrics of the validation; empty where there is none.
            accumulative_counts: Iterations that share one update.
        """
