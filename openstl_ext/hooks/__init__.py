"""What happens beside the loop: progress, results, predictions."""

from openstl_ext.discovery import import_modules

import_modules(__name__)
