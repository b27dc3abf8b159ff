"""Metrics: one tally per sample, summed without rounding."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
