"""Import all modules of a package, so that a new file is registered without further changes."""

import importlib
import pkgutil


def import_modules(package: str) -> None:
    """Import all modules directly inside a package, which registers their classes.

    A module that cannot be imported is an error here: without it, its classes would be reported
    much later as an unknown type.

    Args:
        package: Dotted name of a package, usually ``__name__`` of its ``__init__``.

    Raises:
        ImportError: If a module cannot be imported; the message names it.
    """
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        name = f"{package}.{module.name}"
        try:
            importlib.import_module(name)
        except Exception as error:
            raise ImportError(f"{name} cannot be imported: {error}") from error
