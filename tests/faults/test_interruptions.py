"""A small share of the faults of runs: kills, signals, double runs."""

from tests.faults import double_runs, kills, signals


def test_kills_lose_nothing() -> None:
    """A run on a queue with a time limit would be another run."""
    assert kills.row_of("RecurrentForecast", workers=0, ranks=1, kills=3).lost == 0


def test_signals_lose_nothing() -> None:
    """A preempted run would be another run."""
    row = signals.row_of(ranks=1, workers=0, stops=4)
    assert (row.detected, row.lost) == (4, 0)


def test_one_of_two_trainings_in_one_folder_is_refused() -> None:
    """Both would overwrite the checkpoints of the other."""
    assert double_runs.trainings(1).lost == 0
