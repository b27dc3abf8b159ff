"""Calibrated intervals of predictions: find the margins that a test computed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openstl_ext.atomic_io import sha256_of
from openstl_ext.calibration import Calibration, beside
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
        given: File of a calibration; it must be one of these weights.

    Returns:
        The postprocessor, None if there is no calibration to use; and what was decided, empty if
        there was nothing to decide.

    Raises:
        ConfigError: If a file is given for other weights or a method without intervals, or if
            the calibration is of other quantiles.
        DataError: If the file is not a calibration.
    """
    levels = getattr(method, "quantile_levels", ())
    if not levels:
        if given is not None:
            raise ConfigError(
                f"--calibration {given}: {type(method).__name__} has no intervals to widen"
            )
        return None, ""
    sha256 = sha256_of(Path(checkpoint)) if Path(checkpoint).is_file() else None
    path = given or _beside(Path(checkpoint), sha256)
    if path is None:
        return None, ""
    calibration = Calibration.read(path)
    if sha256 is None or calibration.sha256 != sha256:
        weights = Path(str(calibration.about.get("checkpoint") or "unknown weights")).name
        reason = f"{path} was computed with other weights than {Path(checkpoint).name} ({weights})"
        advice = "test these weights with a ConformalCalibrationHook"
        if given is not None:
            raise ConfigError(f"--calibration: {reason}; {advice}")
        return None, f"intervals are not widened: {reason}; {advice}"
    if calibration.quantile_levels != tuple(levels):
        raise ConfigError(
            f"{path} is of a method with the quantiles {_shown(calibration.quantile_levels)}, but "
            f"the config has {_shown(levels)}; use the config that the weights were tested with"
        )
    message = f"intervals are widened by {path}, to cover {calibration.coverage:.0%}"
    return ConformalPostprocessor(calibration, levels), message


def _shown(levels: Sequence[float]) -> str:
    return ", ".join(f"{level:g}" for level in levels)


def _beside(checkpoint: Path, sha256: str | None) -> Path | None:
    """Return the calibration in the work directory of a checkpoint; its own, if it has one."""
    folder = checkpoint.resolve().parent
    path = (folder.parent if folder.name == FOLDER else folder) / FILE
    return next((file for file in (beside(path, sha256), path) if file.is_file()), None)
