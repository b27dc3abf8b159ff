"""Procedures: how to learn from a batch, and what to say about one."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
