"""Which windows of a recording are samples."""

from collections.abc import Sequence

SHORT_STRIDE = 3
SHORT_STRIDE_ACTIONS = frozenset({"jogging", "running"})
"""Those who run are soon out of sight, so their windows overlap."""


def window_starts(numbers: Sequence[int], length: int, stride: int) -> list[int]:
    """Where windows of frames without a gap begin, in order of time.

    They are laid from the end towards the beginning, which is the published way: what is left
    over is left at the beginning.

    Args:
        numbers: Number of each frame in the original recording, ascending. A jump is a gap.
        length: Frames of a window.
        stride: Frames between two windows.

    Source:
        OpenSTL@c74deb5, dataloader_kth.py, load_data.
    """
    starts = []
    first = len(numbers) - length
    while first >= 0:
        if numbers[first + length - 1] - numbers[first] == length - 1:
            starts.append(first)
            first -= stride
        else:
            first -= 1
    return starts[::-1]


def stride_of(action: str, length: int) -> int:
    """Published stride: the whole window, but three frames for jogging and running."""
    return SHORT_STRIDE if action in SHORT_STRIDE_ACTIONS else length
