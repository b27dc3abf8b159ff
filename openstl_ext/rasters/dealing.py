"""Blocks dealt out by chance, in exact shares."""

from collections.abc import Mapping

import numpy as np

from openstl_ext.errors import DataError


def deal(usable: np.ndarray, shares: Mapping[str, float], seed: int) -> np.ndarray:
    """Shuffle the usable blocks and give each to a split.

    Args:
        usable: Blocks with enough data.
        shares: Part of them that each split gets.
        seed: Of the shuffle.

    Shape:
        - usable: (rows of blocks, columns of blocks), bool.
        - returns: the same, uint8: 0 for nobody, k for the k-th of ``shares``.

    Raises:
        DataError: If the shares are not positive or not one together, or a split gets no block.
    """
    places = np.flatnonzero(usable)
    counts = largest_remainder(shares, len(places))
    if empty := [name for name, count in counts.items() if not count]:
        raise DataError(
            f"{len(places)} blocks with enough data, of {usable.size}, are too few for "
            f"{dict(shares)}: {', '.join(empty)} would get none; take a smaller block_size, or "
            "ask for less data with min_valid"
        )
    codes = np.zeros(usable.shape, np.uint8)
    dealt = np.repeat(np.arange(1, len(counts) + 1), list(counts.values()))
    codes.flat[np.random.default_rng(seed).permutation(places)] = dealt
    return codes


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
