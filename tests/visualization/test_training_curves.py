"""Pictures of trainings."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from openstl_ext.results.training_curves import Training
from openstl_ext.visualization import chart
from openstl_ext.visualization.style import COLORS
from openstl_ext.visualization.training_curves import draw_training_curves


def training(place: str, losses: list[float], per_epoch: int | None = 1) -> Training:
    entries: list[dict] = []
    for step, loss in enumerate(losses, start=1):
        entries += [
            {"step": step, "phase": "train", "loss": loss},
            {"step": step, "phase": "val", "mse": 2 * loss},
        ]
    return Training(Path(place), per_epoch, tuple(entries))


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    made: list[Figure] = []
    monkeypatch.setattr(
        chart, "Figure", lambda **options: made.append(Figure(**options)) or made[-1]
    )
    return made


def test_runs_are_overlaid_in_the_same_colours(figures: list[Figure]) -> None:
    """The loss of one run would be compared with the score of another."""
    runs = [training("a/net/seed_0", [3, 2, 1]), training("a/net/seed_1", [4, 3])]
    assert draw_training_curves(runs, ["mse"]).startswith(b"\x89PNG")
    loss, legend, score, _ = figures[0].axes
    assert [axes.get_title("left") for axes in (loss, score)] == ["training loss", "validation mse"]
    for axes, factor in ((loss, 1), (score, 2)):
        first, second = axes.get_lines()
        assert (first.get_color(), second.get_color()) == COLORS[:2]
        np.testing.assert_array_equal(
            first.get_xydata(), [(1, 3 * factor), (2, 2 * factor), (3, factor)]
        )
        np.testing.assert_array_equal(second.get_ydata(), [4 * factor, 3 * factor])
    assert loss.get_xlabel() == "epoch"
    names = [text.get_text() for text in legend.get_legend().get_texts()]
    assert names == ["a/net, seed 0", "a/net, seed 1"]


def test_one_run_without_epochs_counts_all_in_iterations(figures: list[Figure]) -> None:
    """Epochs and iterations would share an axis."""
    runs = [training("a", [3, 2, 1], 10), training("b", [3, 2, 1], None)]
    draw_training_curves(runs, [])
    assert figures[0].axes[0].get_xlabel() == "iteration"


def test_losses_over_decades_have_a_logarithmic_axis(figures: list[Figure]) -> None:
    """The end of a training would be a flat line."""
    draw_training_curves([training("a", [100, 1, 0.1])], [])
    assert figures[0].axes[0].get_yscale() == "log"
