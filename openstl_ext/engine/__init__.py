"""What mmengine's Runner lacks, and the only place that knows its internals."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
