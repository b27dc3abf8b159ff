"""Log lines that fit a screen."""

import re
from typing import Any

from mmengine.runner import LogProcessor, Runner

from openstl_ext.registry import LOG_PROCESSORS

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
