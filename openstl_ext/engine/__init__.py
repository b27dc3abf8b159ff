"""Extensions of mmengine's Runner; no other package uses its internals."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
