"""Read numbers from environment variables."""

from collections.abc import Mapping

from openstl_ext.errors import ConfigError


def number_in(
    environ: Mapping[str, str],
    name: str,
    *,
    default: int | None = None,
    low: int = 0,
    high: int | None = None,
) -> int:
    """Return the whole number in an environment variable.

    Args:
        environ: The environment.
        name: Name of the variable.
        default: Value if the variable is not set or empty; without one it must be set.
        low: Smallest valid value.
        high: Largest valid value, if there is one.

    Raises:
        ConfigError: If it is not set, no whole number, or out of range.
    """
    text = environ.get(name, "").strip()
    if not text and default is not None:
        return default
    if (
        text.isascii()
        and text.isdigit()
        and low <= int(text) <= (int(text) if high is None else high)
    ):
        return int(text)
    limits = f"from {low}" if high is None else f"from {low} to {high}"
    raise ConfigError(
        f"the environment variable {name} is {text!r}, but must be a whole number {limits}; "
        "correct it or unset it"
    )
