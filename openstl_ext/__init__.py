"""A plugin benchmark framework for spatio-temporal forecasting and mapping.

Six functions for notebooks and scripts: ``load_config``, ``load_model``, ``forecast``,
``evaluate``, ``register`` and ``load_encoder``. They are imported at the first use, because the
package itself imports no torch: the leaderboard starts in a fraction of a second.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openstl_ext.api import (
        evaluate,
        forecast,
        load_config,
        load_encoder,
        load_model,
        register,
    )

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "evaluate",
    "forecast",
    "load_config",
    "load_encoder",
    "load_model",
    "register",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from openstl_ext import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
