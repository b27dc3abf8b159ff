"""Times that follow those of a series."""

import numpy as np

from openstl_ext.frame_sources.times import Times


def continue_times(times: Times | None, count: int) -> Times | None:
    """Return the times after those of a series with a regular step.

    The step may be a length of time, or a number of months or years, as from the first of a month
    to the first of the next one.

    Args:
        times: Times of the inputs, ascending.
        count: Number of times to return.

    Returns:
        The times, of the same unit; None if the step is not regular, or there are fewer than two
        times.
    """
    if times is None or len(times) < 2:
        return None
    leads = np.arange(1, count + 1)
    months = times.astype("M8[M]")
    after, steps = times - months, np.diff(months)
    # before lengths: from July to September the first days of months are 31 days apart
    if (after == after[0]).all() and (steps == steps[0]).all() and steps[0].astype(int):
        return ((months[-1] + leads * steps[0]) + after[0]).astype(times.dtype)
    lengths = np.diff(times)
    return times[-1] + leads * lengths[0] if (lengths == lengths[0]).all() else None
