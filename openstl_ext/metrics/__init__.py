"""Metrics: one tally a sample and lead, summed exactly."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
