"""Where the messages of a run go: to the console without repetitions, and to the log file."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.runner import Runner

from openstl_ext.progress_line import is_quiet

RESULT: Mapping[str, Any] = {"is_result": True}
"""``extra`` of a message that ``--quiet`` leaves on the console."""

NOISE = ("paramwise_options -- ", "Distributed training is not used, all SyncBatchNorm")
"""First words of messages of mmengine that repeat the config, hundreds of lines in large nets."""
DETAILS = ("Hooks will be executed in the following order",)
"""First words of messages of mmengine for the log file only."""


def detail(logger: logging.Logger, text: str) -> None:
    """Log what the log file needs and the console does not."""
    logger.info(text, extra={"is_detail": True})


def log_environment(runner: Runner) -> None:
    """Log what the numbers of a run may depend on, for the log file."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    config = runner.cfg.get("identity") or runner.cfg.filename
    text = f"torch {torch.__version__} on {device}, {torch.get_num_threads()} threads"
    place = f"process {runner.rank + 1} of {runner.world_size}, seed {runner.seed}"
    detail(runner.logger, f"{config}: {text}, {place}")


def is_wanted(record: logging.LogRecord) -> bool:
    """Return whether a message tells anything; see ``NOISE``."""
    return not (record.levelno <= logging.INFO and str(record.msg).startswith(NOISE))


class ConsoleHandler(logging.StreamHandler):
    """Print to what stdout is at the moment, which may be above the line of progress."""

    def __init__(self, level: int) -> None:
        logging.Handler.__init__(self, level)
        self.addFilter(is_wanted)
        self.addFilter(self._is_shown)
        self.setFormatter(LineFormatter("%m-%d %H:%M:%S", is_console=True))

    @property
    def stream(self) -> Any:
        """Stdout."""
        return sys.stdout

    @staticmethod
    def _is_shown(record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO:
            return True
        if getattr(record, "is_result", False):
            return True
        is_detail = getattr(record, "is_detail", False) or str(record.msg).startswith(DETAILS)
        return not is_quiet() and not is_detail


class LineFormatter(logging.Formatter):
    """A message after its time; after its level as well, if that is more than info.

    Args:
        datefmt: Form of the time.
        is_console: Whether the time is left out where stdout is a terminal.
    """

    def __init__(self, datefmt: str, *, is_console: bool = False) -> None:
        super().__init__(datefmt=datefmt)
        self.is_console = is_console

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line of a record."""
        level = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        text = f"{level}{record.message}"
        if self.is_console and sys.stdout.isatty():
            return text
        return f"{self.formatTime(record, self.datefmt)}  {text}"


def tidy_handlers(logger: logging.Logger) -> None:
    """Replace mmengine's console and the form of its lines, which repeat its name and the level."""
    handlers: list[logging.Handler] = []
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.setFormatter(LineFormatter("%Y-%m-%d %H:%M:%S"))
            handler.addFilter(is_wanted)
            handlers.append(handler)
        elif isinstance(handler, logging.StreamHandler):
            console = ConsoleHandler(handler.level)
            for repeated in handler.filters:  # a warning is shown once
                console.addFilter(repeated)
            handlers.append(console)
        else:
            handlers.append(handler)
    logger.handlers = handlers
