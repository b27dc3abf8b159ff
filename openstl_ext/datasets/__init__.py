"""Datasets: one item per sample, in the units of the data."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
