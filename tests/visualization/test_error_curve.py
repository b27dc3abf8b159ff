"""What a plot of errors shows."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from openstl_ext.results.horizons import Curve, HorizonPlot
from openstl_ext.visualization import error_curve
from openstl_ext.visualization.error_curve import draw_error_curves


def curve(name="Net", *, means=(1.0, 2.0, 3.0), free=False, spreads=(None,) * 3, num=1) -> Curve:
    return Curve(name=name, is_baseline=free, means=means, spreads=spreads, num_runs=num)


def plot(*curves: Curve, **changes) -> HorizonPlot:
    known = {
        "title": "hm",
        "fingerprint": "0123",
        "metric": "mae",
        "unit": "K",
        "higher_is_better": False,
        "ahead": (5, 10, 15),
        "time_unit": "yr",
        "num_valid": (4000, 3000, 2000),
        "curves": curves or (curve(), curve("Persistence", free=True, means=(4.0, 5.0, 6.0))),
    }
    return HorizonPlot(**{**known, **changes})


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch):
    """Draw plots; returns the axes instead of the bytes."""

    def draw(*plots: HorizonPlot) -> list:
        figures: list[Figure] = []

        def figure(*words, **options) -> Figure:
            figures.append(Figure(*words, **options))
            return figures[-1]

        monkeypatch.setattr(error_curve, "Figure", figure)
        assert draw_error_curves(plots).startswith(b"\x89PNG")
        return figures[0].axes

    return draw


def test_every_curve_is_drawn_over_its_leads(drawn) -> None:
    """If this fails, the picture is not what the table says."""
    (axes,) = drawn(plot())
    (net, free) = axes.get_lines()
    np.testing.assert_array_equal(net.get_xydata(), [(5, 1), (10, 2), (15, 3)])
    np.testing.assert_array_equal(free.get_ydata(), [4, 5, 6])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Net", "Persistence"]
    assert net.get_linestyle() == "-" != free.get_linestyle()


def test_the_axis_has_the_unit_of_the_lead_and_the_count_of_pixels(drawn) -> None:
    """Figures without their weight invite to read the last one like the first."""
    (axes,) = drawn(plot())
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    assert ticks == ["5\n4,000 px", "10\n3,000 px", "15\n2,000 px"]
    assert axes.get_xlabel() == "lead (yr); valid pixels below"
    assert axes.get_ylabel() == "mae (K), lower is better"
    assert axes.get_ylim()[0] == 0
    (frames,) = drawn(plot(time_unit="frame", num_valid=(), unit="1", higher_is_better=True))
    assert frames.get_xlabel() == "lead (frames)"
    assert frames.get_ylabel() == "mae, higher is better"


def test_a_lead_without_a_score_breaks_the_line(drawn) -> None:
    """A zero for what was never observed would be the best forecast of all."""
    (axes,) = drawn(plot(curve(means=(1.0, None, 3.0))))
    assert np.isnan(axes.get_lines()[0].get_ydata()).tolist() == [False, True, False]


def test_seeds_spread_about_their_mean(drawn) -> None:
    """One line without its spread makes chance look like progress."""
    (axes,) = drawn(plot(curve(spreads=(0.5, 0.5, 0.5), num=3)))
    (shade,) = axes.collections
    assert shade.get_paths()[0].vertices[:, 1].max() == 3.5
    assert axes.get_legend().get_texts()[0].get_text() == "Net (3 seeds)"


def test_protocols_stand_side_by_side_on_one_scale(drawn) -> None:
    """Two heights on two scales seem to compare, and do not."""
    axes = drawn(plot(), plot(curve(means=(10.0, 20.0, 30.0)), fingerprint="4567"))
    assert len({place.get_ylim() for place in axes}) == 1
    assert [place.get_title("right") for place in axes] == ["protocol 0123", "protocol 4567"]
    other = drawn(plot(), plot(curve(means=(10.0, 20.0, 30.0)), unit="m"))
    assert len({place.get_ylim() for place in other}) == 2


def test_many_leads_and_recipes_are_still_told_apart(drawn) -> None:
    """Twenty frames ahead, and more recipes than colours."""
    many = [curve(f"n{k}", means=tuple(range(k, k + 20)), spreads=(None,) * 20) for k in range(9)]
    (axes,) = drawn(plot(*many, ahead=tuple(range(1, 21)), num_valid=(1,) * 20))
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.get_lines()}
    assert len(looks) == 9
    assert len([t for t in axes.get_xticklabels() if t.get_text()]) <= 12


def test_a_probe_with_a_long_name_leaves_room_for_its_curve(drawn) -> None:
    """If this fails, the legend of a run with overrides squeezes the plot, or hides it."""
    (axes,) = drawn(plot(curve("Net (probe: " + " ".join(["model.net.width=8"] * 30) + ")")))
    (said,) = (text.get_text() for text in axes.get_legend().get_texts())
    assert max(map(len, said.split("\n"))) <= error_curve.LETTERS
    assert said.startswith("Net")
    assert said.endswith("...")
    assert said.count("\n") == 2


def test_the_same_plots_give_the_same_bytes() -> None:
    """Else a picture in a repository changes with each run of the tool."""
    assert draw_error_curves([plot()]) == draw_error_curves([plot()])
    assert b"Software" not in draw_error_curves([plot()])
