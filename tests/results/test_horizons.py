"""Scores read along their leads."""

from pathlib import Path

import pytest

from openstl_ext.errors import UserError
from openstl_ext.results.board import board_of
from openstl_ext.results.horizons import plots_of


@pytest.fixture
def write(fakes, tmp_path: Path):
    """Write the record of a run with an error a lead; returns where all are."""

    def record(config: str, errors: list[float | None], seed: int = 0, **changes) -> Path:
        scores = {f"mae@{lead}": value for lead, value in enumerate(errors, 1)}
        facts = {"unit": "K", "higher_is_better": False, "num_valid": [40, 30, 20]}
        known = {
            "config": config,
            "name": config.upper(),
            "metrics": {"mae": 1.0, **scores, "dice[site]": 0.5},
            "about": {"mae": facts},
            "seed": seed,
            "protocol": fakes.protocol(metainfo={"name": "hm", "lead": [5, "yr"]}),
            "baselines": {"Persistence": {"mae": 9.0, "mae@1": 7.0, "mae@2": 9.0, "mae@3": 11.0}},
        }
        made = fakes.record(**{**known, **changes})
        made.write(tmp_path / config / f"{seed}/result.json")
        return tmp_path

    return record


def test_a_curve_holds_every_lead_and_the_free_forecasts_stand_beside_it(write) -> None:
    """A curve without what costs nothing shows a triumph where there is none."""
    folder = write("a", [1.0, 2.0, 3.0])
    (plot,) = plots_of(board_of([folder], ["*"]), "mae")
    assert [(c.name, c.is_baseline, c.means) for c in plot.curves] == [
        ("A", False, (1.0, 2.0, 3.0)),
        ("Persistence", True, (7.0, 9.0, 11.0)),
    ]


def test_a_plot_has_the_unit_of_its_score(write) -> None:
    """The third lead may be 3 frames, 90 minutes or 15 years ahead."""
    folder = write("a", [1.0, 2.0, 3.0])
    (plot,) = plots_of(board_of([folder], ["*"]), "mae")
    assert (plot.ahead, plot.time_unit) == ((5, 10, 15), "yr")
    assert (plot.title, plot.unit, plot.higher_is_better) == ("hm", "K", False)
    assert plot.num_valid == (40, 30, 20)


def test_seeds_are_one_curve_and_a_lead_without_truth_has_no_value(write) -> None:
    """Three seeds of a recipe are one recipe; a horizon beyond the record is no zero."""
    write("a", [1.0, 2.0, None])
    folder = write("a", [3.0, 2.0, None], seed=1)
    (plot,) = plots_of(board_of([folder], ["*"]), "mae")
    curve = plot.curves[0]
    assert curve.means == (2.0, 2.0, None)
    assert curve.spreads == (pytest.approx(2**0.5), 0.0, None)
    assert curve.num_runs == 2


def test_recipes_of_one_name_are_told_apart_and_probes_named(write, fakes) -> None:
    """Two lines with one label cannot be read."""
    write("a", [1.0, 2.0, 3.0], name="Net")
    write("b", [2.0, 3.0, 4.0], name="Net")
    folder = write("c", [3.0, 4.0, 5.0], overrides=["lr=1"])
    (plot,) = plots_of(board_of([folder], ["*"]), "mae")
    names = [curve.name for curve in plot.curves]
    assert sorted(names) == ["C (probe: lr=1)", "Net, a", "Net, b", "Persistence"]


def test_data_that_were_made_up_are_called_so(write) -> None:
    """A curve over a toy continent must not pass for one over the Earth."""
    folder = write("a", [1.0, 2.0, 3.0], synthetic=True)
    assert plots_of(board_of([folder], ["*"]), "mae")[0].title == "hm (synthetic)"


def test_each_protocol_has_a_plot_of_its_own(write, fakes) -> None:
    """Errors over other pixels do not belong on one axis, nor do scores that are not there."""
    write("a", [1.0, 2.0, 3.0])
    write("b", [1.0, 2.0, 3.0], protocol=fakes.protocol(size=31))
    folder = write("c", [], protocol=fakes.protocol(size=32), baselines={})
    plots = plots_of(board_of([folder], ["*"]), "mae")
    assert len({plot.fingerprint for plot in plots}) == len(plots) == 2


def test_a_metric_that_has_no_leads_is_answered_with_the_nearest(write) -> None:
    """Nobody knows all keys by heart; dice[site] is of a class, and no lead."""
    folder = write("a", [1.0, 2.0, 3.0])
    for word, hint in (("mea", "did you mean 'mae'"), ("dice", "known are: mae")):
        with pytest.raises(UserError, match=hint):
            plots_of(board_of([folder], ["*"]), word)
