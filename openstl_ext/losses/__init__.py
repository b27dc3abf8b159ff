"""Losses: (prediction, target, valid) -> scalar."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
