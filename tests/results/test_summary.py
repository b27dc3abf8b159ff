"""Scores of a record as text for a console."""

from types import SimpleNamespace

from openstl_ext.results.summary import score_lines, shown_scores

PERSISTENCE = {"mse_sum": 40.0, "mse_sum@1": 10.0, "ssim": 0.75}


def test_the_scores_are_beside_those_of_the_baselines(fakes: SimpleNamespace) -> None:
    """A user would take a forecast that is worse than persistence for a good one."""
    lines = score_lines(fakes.record(24.0, baselines={"Persistence": PERSISTENCE}), "ssim")
    assert lines == [
        "         SimVP-gSTA   Persistence",
        "ssim         0.5000        0.7500*",
        "mse_sum       24.00*        40.00",
        "* best of its line",
    ]


def test_without_baselines_nothing_is_marked(fakes: SimpleNamespace) -> None:
    """One score alone would be praised as the best."""
    assert score_lines(fakes.record(24.0))[1:] == ["mse_sum       24.00", "ssim         0.5000"]


def test_scores_after_a_postprocessor_and_unknown_ones_are_shown(fakes: SimpleNamespace) -> None:
    """A missing value would be an error, or look like zero."""
    changed = {"conformal": {"mse_sum": 20.0, "ssim": None}}
    lines = score_lines(fakes.record(24.0, postprocessed=changed))
    assert [line.split() for line in lines[:3]] == [
        ["SimVP-gSTA", "+", "conformal"],
        ["mse_sum", "24.00", "20.00*"],
        ["ssim", "0.5000*", "n/a"],
    ]


def test_scores_of_leads_are_left_to_the_record() -> None:
    """A table of ten leads would hide the score that counts."""
    assert shown_scores({"mse": 1, "mse@1": 2, "mse[a]": 3}) == ["mse"]
    assert shown_scores({"dice[a]": 1, "dice[b]": 2}, first="dice[b]") == ["dice[b]", "dice[a]"]
