"""Calibrated intervals of predictions: find the margins that a test computed."""

from pathlib import Path
from typing import Any

from openstl_ext.calibration import Calibration
from openstl_ext.engine.checkpoint import FOLDER
from openstl_ext.errors import ConfigError
from openstl_ext.postprocessing import ConformalPostprocessor

FILE = "calibration.json"
"""Default file of ``ConformalCalibrationHook`` in a work directory."""


def find_postprocessor(
    method: Any, checkpoint: Path | str, given: Path | None = None
) -> tuple[ConformalPostprocessor | None, str]:
    """Return the calibration of a method's intervals and a line for the log.

    Args:
        method: The method.
        checkpoint: Checkpoint of its weights. A calibration in its work directory is used only if
            it was computed with these weights.
        given: File of a calibration that is used for any weights.

    Returns:
        The postprocessor, None if there is no calibration to use; and what was decided, empty if
        there was nothing to decide.

    Raises:
        ConfigError: If a file is given for a method without these quantiles.
        DataError: If the file is not a calibration.
    """
    path = given or _beside(Path(checkpoint))
    levels = getattr(method, "quantile_levels", ())
    if not levels:
        if given is not None:
            raise ConfigError(
                f"--calibration {given}: {type(method).__name__} has no intervals to widen"
            )
        return None, ""
    if path is None:
        return None, ""
    calibration = Calibration.read(path)
    weights = Path(str(calibration.about.get("checkpoint") or "")).name
    if given is None and weights != Path(checkpoint).name:
        return None, (
            f"intervals are not widened: {path} belongs to {weights or 'unknown weights'}; "
            "test these weights, or pass the file with --calibration"
        )
    message = f"intervals are widened by {path}, to cover {calibration.coverage:.0%}"
    return ConformalPostprocessor(calibration, levels), message


def _beside(checkpoint: Path) -> Path | None:
    """Return the calibration in the work directory of a checkpoint, if there is one."""
    folder = checkpoint.resolve().parent
    path = (folder.parent if folder.name == FOLDER else folder) / FILE
    return path if path.is_file() else None
