"""Curves of scores over the leads."""

from pathlib import Path

import pytest

from openstl_ext.errors import UserError
from openstl_ext.results.board import board_of
from openstl_ext.results.horizons import plots_of


@pytest.fixture
def write(fakes, tmp_path: Path):
    """Write the record of a run with an error per lead; return the folder."""

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


def test_a_plot_has_every_lead_and_the_baselines(write) -> None:
    """A curve without baselines would look like a success."""
    folder = write("a", [1.0, 2.0, 3.0])
    (plot,) = plots_of(board_of([folder], ["*"]), "mae")
    assert [(c.name, c.is_baseline, c.means) for c in plot.curves] == [
        ("A", False, (1.0, 2.0, 3.0)),
        ("Persistence", True, (7.0, 9.0, 11.0)),
    ]


def test_a_plot_has_the_unit_of_its_score(write) -> None:
    """A reader could not see whether a lead is 3 frames, 90 minutes or 15 years."""
    folder = write("a", [1.0, 2.0, 3.0])
    (plot,) = plots_of(board_of([folder], ["*"]), "mae")
    assert (plot.ahead, plot.time_unit) == ((5, 10, 15), "yr")
    assert (plot.title, plot.unit, plot.higher_is_better) == ("hm", "K", False)
    assert plot.num_valid == (40, 30, 20)


def test_seeds_are_one_curve_and_a_lead_without_targets_has_no_value(write) -> None:
    """Seeds would be three curves, or a lead without observations zero."""
    write("a", [1.0, 2.0, None])
    folder = write("a", [3.0, 2.0, None], seed=1)
    (plot,) = plots_of(board_of([folder], ["*"]), "mae")
    curve = plot.curves[0]
    assert curve.means == (2.0, 2.0, None)
    assert curve.spreads == (pytest.approx(2**0.5), 0.0, None)
    assert curve.num_runs == 2


def test_recipes_of_one_name_have_different_labels(write, fakes) -> None:
    """Two curves with one label could not be distinguished."""
    write("a", [1.0, 2.0, 3.0], name="Net")
    write("b", [2.0, 3.0, 4.0], name="Net")
    folder = write("c", [3.0, 4.0, 5.0], overrides=["lr=1"])
    (plot,) = plots_of(board_of([folder], ["*"]), "mae")
    names = [curve.name for curve in plot.curves]
    assert sorted(names) == ["C (probe: lr=1)", "Net, a", "Net, b", "Persistence"]


def test_synthetic_data_are_named_in_the_title(write) -> None:
    """A curve over synthetic data would pass for one over observations."""
    folder = write("a", [1.0, 2.0, 3.0], synthetic=True)
    assert plots_of(board_of([folder], ["*"]), "mae")[0].title == "hm (synthetic)"


def test_each_protocol_has_a_plot_of_its_own(write, fakes) -> None:
    """Errors over different pixels would share an axis."""
    write("a", [1.0, 2.0, 3.0])
    write("b", [1.0, 2.0, 3.0], protocol=fakes.protocol(size=31))
    folder = write("c", [], protocol=fakes.protocol(size=32), baselines={})
    plots = plots_of(board_of([folder], ["*"]), "mae")
    assert len({plot.fingerprint for plot in plots}) == len(plots) == 2


def test_a_score_without_leads_is_an_error_with_the_nearest_name(write) -> None:
    """A typo would give an empty plot."""
    folder = write("a", [1.0, 2.0, 3.0])
    for word, hint in (("mea", "did you mean 'mae'"), ("dice", "known are: mae")):
        with pytest.raises(UserError, match=hint):
            plots_of(board_of([folder], ["*"]), word)
