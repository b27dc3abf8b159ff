"""A fast share of the full disks."""

import pytest

from tests.faults.full_disks import outcomes

FAST = ["leaderboard csv", "predict npy", "predict folder", "checkpoint", "raster", "packed"]


def test_a_full_disk_leaves_whole_files_only() -> None:
    """The next program would read half a file, or an earlier result would be lost."""
    found = list(outcomes(FAST))
    assert [outcome for outcome in found if outcome.problem] == []
    assert sum(outcome.refused for outcome in found) == len(found)


@pytest.mark.slow
def test_every_writer_survives_a_full_disk() -> None:
    """One command of many would leave half a file."""
    assert [outcome for outcome in outcomes() if outcome.problem] == []
