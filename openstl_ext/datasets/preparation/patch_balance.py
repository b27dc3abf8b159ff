"""Keep so many background patches for each patch with something in it."""

from collections.abc import Sequence

import numpy as np

from openstl_ext.rasters.window import Window


def balanced(
    windows: Sequence[Window],
    looks: Sequence[tuple[bool, bool]],
    negative_ratio: float | None,
    *,
    seed: Sequence[int],
) -> tuple[list[Window], str]:
    """The patches that are kept, in their order, and a sentence about them.

    Args:
        windows: Candidates.
        looks: For each, whether anything is known of it, and whether it has a site.
        negative_ratio: Background patches kept for each patch with a site; None for all of them.
        seed: Which background patches are kept.
    """
    positive = [i for i, (_, has_site) in enumerate(looks) if has_site]
    negative = [i for i, (known, has_site) in enumerate(looks) if known and not has_site]
    unknown = len(looks) - len(positive) - len(negative)
    kept = np.array(negative, np.int64)
    if negative_ratio is not None:
        number = min(round(negative_ratio * len(positive)), len(negative))
        kept = np.random.default_rng(seed).permutation(kept)[:number]
    order = sorted([*positive, *kept.tolist()])
    line = (
        f"{len(order)} patches, {len(positive)} with a site, {len(kept)} of {len(negative)} without"
    )
    if unknown:
        line += f"; {unknown} without any known label left out"
    return [windows[i] for i in order], line
