"""Commands of ``openstl-ext``, one file each: docstring, ``add_arguments`` and ``run``."""
