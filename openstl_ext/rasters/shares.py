"""Whole things dealt out in shares."""

from collections.abc import Mapping

from openstl_ext.errors import DataError


def largest_remainder(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers in given shares of a total; what is left goes to the largest remainders.

    Raises:
        DataError: If the shares are not positive or not one together.
    """
    if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise DataError(f"shares must be above zero and one together, not {dict(shares)}")
    # a share of 0.3 is a little less than 3/10, and must not lose a block by that
    exact = {name: round(share * total, 6) for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    order = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in order[: total - sum(counts.values())]:
        counts[name] += 1
    return counts
