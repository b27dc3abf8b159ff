"""Nets: modules from tensors to tensors, without loss, targets or device."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
