"""Windows of splits share no frame, and an empty split is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openstl_ext.datasets.imported_frames.windows import SplitRule
from openstl_ext.errors import DataError


def frames_of(windows: list[tuple[int, int]], length: int) -> set[tuple[int, int]]:
    return {(sequence, first + step) for sequence, first in windows for step in range(length)}


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    by=st.sampled_from(["sequence", "time", None]),
    length=st.integers(2, 8),
    stride=st.sampled_from([None, 1, 3]),
    gap=st.integers(0, 4),
)
@settings(max_examples=100, deadline=None)
def test_no_frame_is_in_two_splits(lengths, by, length, stride, gap) -> None:  # type: ignore[no-untyped-def]
    """A net would be tested on frames that it was trained on."""
    rule = SplitRule(by=by, length=length, stride=stride, gap=gap)
    try:
        splits = rule.windows(lengths, list(map(str, range(len(lengths)))))
    except DataError:
        return
    found = [frames_of(splits[name], length) for name in ("train", "val", "test")]
    assert all(found)
    assert sum(map(len, found)) == len(set.union(*found))
    assert all(0 <= step < lengths[sequence] for frames in found for sequence, step in frames)
    if rule.chosen(lengths) == "sequence":
        sequences = [{sequence for sequence, _ in frames} for frames in found]
        assert sum(map(len, sequences)) == len(set.union(*sequences))


def test_spans_of_time_are_in_order_with_a_gap() -> None:
    """Validation would be earlier than training, or adjoin it."""
    rule = SplitRule(shares=(0.5, 0.25, 0.25), by="time", length=10, stride=5, gap=4)
    splits = rule.windows([108], ["a"])
    assert splits["train"] == [(0, first) for first in range(0, 41, 5)]
    assert splits["val"] == [(0, first) for first in (54, 59, 64, 69)]
    assert splits["test"] == [(0, first) for first in (83, 88, 93, 98)]


def test_sequences_are_assigned_by_their_shares_and_the_seed() -> None:
    """A second import of the same data would have other splits."""
    rule = SplitRule(length=4, seed=1)
    splits = rule.windows([8] * 20, list(map(str, range(20))))
    assert [len(splits[s]) for s in ("train", "val", "test")] == [28, 6, 6]
    assert splits == rule.windows([8] * 20, list(map(str, range(20))))
    few = rule.windows([8] * 3, ["a", "b", "c"])
    assert [len(few[s]) for s in ("train", "val", "test")] == [2, 2, 2]
    assert splits != SplitRule(length=4, seed=2).windows([8] * 20, list(map(str, range(20))))


@pytest.mark.parametrize(
    ("rule", "lengths", "message"),
    [
        (SplitRule(length=20), [12, 5], "longest sequence, 0, has 12 frames, but a window has 20"),
        (SplitRule(length=20), [60], r"no window for val: its longest span has 9 .*\(of 60\)"),
        (SplitRule(length=4, by="sequence"), [8, 8], "2 sequences .* give 2 to train, 0 to val, 0"),
        (SplitRule(length=4, by="sequence"), [8, 8, 2], "2 sequences of at least 4 frames"),
    ],
)
def test_an_empty_split_is_refused_with_the_numbers(
    rule: SplitRule, lengths: list[int], message: str
) -> None:
    """Training would end at the first validation, or nothing would be tested."""
    with pytest.raises(DataError, match=message):
        rule.windows(lengths, list(map(str, range(len(lengths)))))


def test_each_share_is_above_zero() -> None:
    """A split would be empty without a word."""
    with pytest.raises(DataError, match="--split 1/0/0: train, val and test each need a share"):
        SplitRule(shares=(1, 0, 0))
