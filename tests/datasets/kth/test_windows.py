"""Windows of a recording."""

import numpy as np
import pytest

from openstl_ext.datasets.kth.files import stride_of, window_starts


def published_way(numbers: list[int], length: int, fast: bool) -> list[int]:
    """Enumerate windows as published: from the last frame backwards."""
    found, last = [], len(numbers) - 1
    while last >= length - 1:
        first = last - length + 1
        if numbers[last] - numbers[first] == length - 1:
            found.append(first)
            last -= 2 if fast else length - 1
        last -= 1
    return sorted(found)


@pytest.mark.parametrize("action", ["boxing", "handclapping", "handwaving", "walking"])
def test_windows_of_slow_actions_do_not_overlap(action: str) -> None:
    """The number of samples would differ from the published one."""
    numbers = list(range(1, 26))
    assert window_starts(numbers, 10, stride_of(action, 10)) == [5, 15]


@pytest.mark.parametrize("action", ["jogging", "running"])
def test_windows_of_fast_actions_overlap(action: str) -> None:
    """Running persons would be rare in the set."""
    assert window_starts(list(range(1, 18)), 10, stride_of(action, 10)) == [1, 4, 7]


def test_windows_are_those_of_the_published_code() -> None:
    """Scores would be computed on other samples than published ones."""
    chance = np.random.default_rng(0)
    for _ in range(60):
        numbers = np.flatnonzero(chance.random(120) < 0.97).tolist()
        for length in (1, 7, 30):
            for fast in (False, True):
                stride = 3 if fast else length
                assert window_starts(numbers, length, stride) == published_way(
                    numbers, length, fast
                )


def test_a_short_recording_has_no_windows() -> None:
    """A short video would raise an IndexError."""
    assert window_starts([1, 2, 3], 4, 1) == []
    assert window_starts([], 1, 1) == []
