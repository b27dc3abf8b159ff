"""What pictures show of kept tallies: score cards, and bands under another test set."""

from pathlib import Path

import numpy as np
import pytest

from openstl_ext.comparison.compare import compare
from openstl_ext.comparison.intervals import intervals_from
from openstl_ext.comparison.score_card import score_card_of
from openstl_ext.metrics.tallies import bootstrap_intervals
from openstl_ext.results.board import board_of
from openstl_ext.results.horizons import plots_of
from openstl_ext.results.kept_tallies import KeptTallies
from openstl_ext.results.record import RecordError
from tests.comparison.test_compare import write_run


def test_a_score_card_has_the_relative_difference_of_each_lead(tmp_path: Path) -> None:
    """A picture would contradict the records."""
    record = write_run(tmp_path, "toy/a", 0.5, baselines={"Persistence": 1.0})
    card = score_card_of(compare(board_of([tmp_path]), "toy/a", "Persistence")[0])
    assert (card.metrics, card.columns) == (("mse_sum",), ("all", "+1", "+2"))
    assert card.title == "A relative to Persistence"
    assert card.note.startswith("40 samples in 20 blocks; protocol ")
    (row,) = card.cells
    for cell, name in zip(row, ("mse_sum", "mse_sum@1", "mse_sum@2"), strict=True):
        assert cell is not None
        ours, theirs = record.metrics[name], record.baselines["Persistence"][name]
        assert ours is not None
        assert theirs is not None
        assert cell.change == pytest.approx((ours - theirs) / theirs)
        assert (cell.sign, cell.verdict) == (-1, "better")


def test_equal_models_are_tied_and_a_worse_one_is_worse(tmp_path: Path) -> None:
    """A difference by chance would be marked as a finding."""
    write_run(tmp_path, "toy/a", 1.0, seed=0)
    write_run(tmp_path, "toy/b", 1.001, seed=1)
    write_run(tmp_path, "toy/c", 2.0, seed=2)
    board = board_of([tmp_path])
    for other, verdict in (("toy/b", "tied"), ("toy/c", "better")):
        (row,) = score_card_of(compare(board, "toy/a", other)[0]).cells
        assert {cell.verdict for cell in row if cell} == {verdict}
    (row,) = score_card_of(compare(board, "toy/c", "toy/a")[0]).cells
    assert {cell.verdict for cell in row if cell} == {"worse"}
    assert all(cell and cell.change and cell.change > 0.5 for cell in row)


def test_bands_are_the_intervals_of_the_blocks(tmp_path: Path) -> None:
    """A band of samples that depend on each other would be too narrow."""
    write_run(tmp_path, "toy/a", 0.5, baselines={"Persistence": 1.0})
    board = board_of([tmp_path], ["*"])
    (plot,) = plots_of(board, "mse_sum", intervals_from(board))
    curves = {curve.name: curve for curve in plot.curves}
    assert list(curves) == ["A", "Persistence"]
    kept = KeptTallies.read(tmp_path / "toy/a/seed_0/tallies.npz")
    first = kept.tallies["mse_sum"][:, :, :1]
    expected = bootstrap_intervals(
        first, {"": lambda sums: float(sums[0, 0] / sums[1, 0])}, blocks=kept.blocks
    )[""]
    np.testing.assert_allclose(curves["A"].intervals[0], expected, rtol=1e-6)
    for curve in curves.values():
        for mean, ends in zip(curve.means, curve.intervals, strict=True):
            assert ends is not None
            assert ends[0] < mean < ends[1]


def test_bands_of_samples_need_tallies(tmp_path: Path) -> None:
    """A picture without bands would look as if nothing were uncertain."""
    write_run(tmp_path, "toy/a", 0.5, kept=False)
    board = board_of([tmp_path], ["*"])
    with pytest.raises(RecordError, match="kept no tallies"):
        plots_of(board, "mse_sum", intervals_from(board))
