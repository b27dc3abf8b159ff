"""A share of the faults of saves; ``make faults`` injects all."""

from collections import Counter
from collections.abc import Iterable

from tests.faults import saves


def check(outcomes: Iterable[saves.Outcome]) -> Counter[str]:
    """Assert that each fault is detected and nothing is lost; return the numbers by class."""
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        assert outcome.detected, outcome
        assert outcome.recovered, outcome
        assert not outcome.lost, outcome
        counts[outcome.name] += 1
    return counts


def test_a_failing_file_event_of_a_save_loses_nothing() -> None:
    """A kill, a full disk or a broken one would destroy the run."""
    counts = check(saves.points(every=29))
    assert set(counts) == {f"{fault} while saving" for fault in ("kill", *saves.ERRORS)}
    assert min(counts.values()) > 4


def test_a_damaged_file_of_a_run_is_found_and_replaced() -> None:
    """Damaged weights would be tested, or a whole run be given up."""
    assert sum(check(saves.flips(6)).values()) == 24


def test_values_that_are_not_finite_are_never_saved() -> None:
    """The run could not be continued from its checkpoints."""
    assert sum(check(saves.plants(30)).values()) == 30
