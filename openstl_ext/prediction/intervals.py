"""Apply the conformal calibration of a test to predictions without targets."""

from pathlib import Path
from typing import Any

from openstl_ext.calibration import Calibration
from openstl_ext.engine.checkpoint import FOLDER
from openstl_ext.errors import ConfigError

FILE = "calibration.json"
"""Default name of the file that ``ConformalCalibrationHook`` writes to a work directory."""


def calibrate(method: Any, checkpoint: Path | str, given: Path | None = None) -> str:
    """Widen the intervals of a method if there is a calibration, and return a report.

    Args:
        method: The method, with its weights loaded.
        checkpoint: File of the weights. A calibration in its work directory is used if it was
            fitted with these weights: margins of other weights have no guaranteed coverage.
        given: A calibration to use with any weights.

    Returns:
        A line for the log; empty without a calibration.

    Raises:
        ConfigError: If a calibration is given for a method without intervals.
        DataError: If the file is not a calibration.
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
            f"intervals are not widened: {path} was fitted with {learnt or 'unknown weights'}; "
            "test these weights, or give the file with --calibration"
        )
    method.calibrate(found.margins)
    return f"intervals are widened by {path}, to cover {found.coverage:.0%}"


def _beside(checkpoint: Path) -> Path | None:
    """Return the calibration in the work directory of a checkpoint, None if there is none."""
    folder = checkpoint.resolve().parent
    path = (folder.parent if folder.name == FOLDER else folder) / FILE
    return path if path.is_file() else None
