"""Import every module of a package: the reason why adding a file is enough."""

import importlib
import pkgutil


def import_modules(package: str) -> None:
    """Import all modules directly inside a package, so that what they register is registered.

    A module that fails to import is an error here, not a gap: a silently missing model would
    surface much later as "unknown type".

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
