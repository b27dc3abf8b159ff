"""Hooks: checkpoints, progress, baselines, predictions, calibration, figures and results."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
