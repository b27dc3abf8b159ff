import torch

from openstl_ext.metrics.base import Tally
from openstl_ext.metrics.mean_pixel import MeanMSE
from tests.faults.exact_evaluations import GAPS, built, cases, differing, rows


def test_evaluations_do_not_depend_on_ranks_or_batches() -> None:
    """Scores would depend on the number of processes."""
    (row,) = rows(12)
    assert (row.injected, row.recovered, row.lost) == (12, 12, 0)
    assert len(built()) >= 20
    assert {case.gaps for case in cases(12)} == set(GAPS)
    assert {case.num_ranks for case in cases(60)} == set(range(1, 7))


class Drifting(MeanMSE):
    """A metric with a state across batches."""

    def measure(self, sample):
        self.seen = getattr(self, "seen", 0) + 1
        return Tally(total=torch.full((4, 1), 0.1 * self.seen), weight=torch.ones(4, 1))


def test_a_metric_that_depends_on_the_batches_is_detected() -> None:
    """A comparison that cannot fail would show nothing."""
    found = [
        bool(differing(case, [Drifting]))
        for case in cases(60)
        if case.leads == 4 and case.channels == 1 and case.num_samples > case.num_ranks > 1
    ]
    assert found
    assert all(found)
