"""Rows, means and comparable runs."""

import pytest

from openstl_ext.errors import UserError
from openstl_ext.results.board import Board
from openstl_ext.results.score import score
from openstl_ext.results.table import tables_of
from openstl_ext.results.writers.markdown import write as markdown


def test_mean_and_sample_deviation_over_seeds():
    """Closed form: 1, 2, 3 and a missing value have mean 2 and sample deviation 1."""
    found = score([1.0, 2.0, None, 3.0])
    assert (found.mean, found.std, found.num) == (2.0, 1.0, 3)
    assert score([5.0]).std is None
    assert score([None]).mean is None


def test_seeds_make_one_row_and_probes_their_own(fakes):
    """A probe would change a published mean."""
    runs = [fakes.record(mse=m, seed=s) for s, m in enumerate((1.0, 3.0))]
    probe = fakes.record(mse=0.1, overrides=["train_cfg.max_epochs=1"])
    (table,) = tables_of([*runs, probe])
    assert [(row.overrides, len(row.records)) for row in table.rows] == [
        (("train_cfg.max_epochs=1",), 1),
        ((), 2),
    ]
    assert table.rows[1].scores["mse_sum"].mean == 2.0
    assert table.best("mse_sum") == 2.0  # a probe does not compete


def test_other_protocols_have_tables_of_their_own(fakes):
    """Numbers of different test sets would be compared."""
    first, second = tables_of([fakes.record(), fakes.record(protocol=fakes.protocol(size=8))])
    assert first.protocol["fingerprint"] != second.protocol["fingerprint"]
    assert first.differs == ()
    assert second.beside == first.protocol["fingerprint"]
    assert len(second.differs) == 1
    assert second.differs[0].startswith("size ")


def test_rows_are_sorted_best_first_in_the_direction_of_the_metric(fakes):
    """A table of SSIM would begin with the worst."""
    runs = [
        fakes.record(config=c, metrics={"mse_sum": m, "ssim": s})
        for c, m, s in (("x/a", 3.0, 0.9), ("x/b", 1.0, 0.2), ("x/c", None, 0.5))
    ]
    (by_error,) = tables_of(runs)
    (by_likeness,) = tables_of(runs, ["ssim"])
    assert [row.config for row in by_error.rows] == ["x/b", "x/a", "x/c"]
    assert [row.config for row in by_likeness.rows] == ["x/a", "x/c", "x/b"]
    assert by_likeness.best("ssim") == 0.9


def test_columns_are_pooled_scores_by_default(fakes):
    """Ten leads per metric would fill the table."""
    assert tables_of([fakes.record()])[0].metrics == ("mse_sum", "ssim")
    assert tables_of([fakes.record()], ["ssim", "mse_*"])[0].metrics == (
        "ssim",
        "mse_sum",
        "mse_sum@1",
    )
    with pytest.raises(UserError, match="did you mean 'mse_sum'"):
        tables_of([fakes.record()], ["mse_sun"])


def test_each_baseline_is_in_the_table_once(fakes):
    """Equal rows of one baseline would fill the table."""
    baselines = {"Persistence": {"mse_sum": 10.0, "ssim": 0.1}}
    runs = [fakes.record(mse=20.0, seed=s, baselines=baselines) for s in range(3)]
    (table,) = tables_of(runs)
    assert [(row.name, row.is_baseline) for row in table.rows] == [
        ("Persistence", True),
        ("SimVP-gSTA", False),
    ]
    assert table.rows[0].scores["mse_sum"].num == 1
    assert table.best("mse_sum") == 10.0
    assert table.rows[0].facts("num_parameters") == []


def test_a_baseline_that_the_data_do_not_allow_is_named_with_its_reason(fakes):
    """Its absence would look like an omission; a run with it would contradict the note."""
    reason = "the dataset states no times of its target frames"
    run = fakes.record(baselines_left_out={"SeasonalMean": reason})
    (table,) = tables_of([run])
    assert table.left_out == {"SeasonalMean": reason}
    assert f"- no baseline SeasonalMean: {reason}" in markdown(Board((table,)))
    later = fakes.record(seed=1, baselines={"SeasonalMean": {"mse_sum": 3.0}})
    (table,) = tables_of([run, later])
    assert table.left_out == {}
