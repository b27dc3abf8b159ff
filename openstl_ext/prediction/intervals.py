"""What a test learnt about intervals, put to use where no truth is known."""

from pathlib import Path
from typing import Any

from openstl_ext.calibration import Calibration
from openstl_ext.engine.checkpoint import FOLDER
from openstl_ext.errors import ConfigError

FILE = "calibration.json"
"""What ``ConformalCalibrationHook`` leaves in a work directory unless it is told another name."""


def calibrate(method: Any, checkpoint: Path | str, given: Path | None = None) -> str:
    """Widen the intervals of a method, if there is a calibration, and say which.

    Args:
        method: The method, its weights loaded.
        checkpoint: Where these came from. In its work directory a calibration is looked for, and
            taken if it was learnt with these weights: another's margins promise nothing.
        given: A calibration that is taken whatever it was learnt with.

    Returns:
        What was done, for the log; empty where there was nothing to do.

    Raises:
        ConfigError: If one is given to a method without intervals.
        DataError: If the file is no calibration.
    """
    path = given or _beside(Path(checkpoint))
    if not hasattr(method, "calibrate"):
        if given is not None:
            raise ConfigError(
                f"--calibration {given}: {type(method).__name__} has no intervals to widen"
            )
        return ""
    if path is None:
        return ""
    found = Calibration.read(path)
    learnt = Path(str(found.about.get("checkpoint") or "")).name
    if given is None and learnt != Path(checkpoint).name:
        return (
            f"intervals are not widened: {path} was learnt with {learnt or 'unknown weights'}; "
            "test these weights, or name it with --calibration"
        )
    method.calibrate(found.margins)
    return f"intervals are widened by {path}, to cover {found.coverage:.0%}"


def _beside(checkpoint: Path) -> Path | None:
    """The calibration in the work directory of a checkpoint, if there is one."""
    folder = checkpoint.resolve().parent
    path = (folder.parent if folder.name == FOLDER else folder) / FILE
    return path if path.is_file() else None
