"""Training and prediction procedures, registered in METHODS."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
