"""Plots of error against lead."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from openstl_ext.results.horizons import Curve, HorizonPlot
from openstl_ext.visualization import chart
from openstl_ext.visualization.error_curve import draw_error_curves


def curve(
    name="Net", *, means=(1.0, 2.0, 3.0), baseline=False, spreads=(None,) * 3, num=1
) -> Curve:
    return Curve(name=name, is_baseline=baseline, means=means, spreads=spreads, num_runs=num)


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
        "curves": curves or (curve(), curve("Persistence", baseline=True, means=(4.0, 5.0, 6.0))),
    }
    return HorizonPlot(**{**known, **changes})


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch):
    """Draw plots and return the axes instead of the bytes."""

    def draw(*plots: HorizonPlot) -> list:
        figures: list[Figure] = []

        def figure(*words, **options) -> Figure:
            figures.append(Figure(*words, **options))
            return figures[-1]

        monkeypatch.setattr(chart, "Figure", figure)
        assert draw_error_curves(plots).startswith(b"\x89PNG")
        return figures[0].axes[::2]  # each has the legend in axes of its own

    return draw


def legend_of(axes):
    places = axes.get_figure().axes
    return places[places.index(axes) + 1].get_legend()


def test_every_curve_is_drawn_over_its_leads(drawn) -> None:
    """The figure would contradict the table."""
    (axes,) = drawn(plot())
    (net, baseline) = axes.get_lines()
    np.testing.assert_array_equal(net.get_xydata(), [(5, 1), (10, 2), (15, 3)])
    np.testing.assert_array_equal(baseline.get_ydata(), [4, 5, 6])
    assert [text.get_text() for text in legend_of(axes).get_texts()] == ["Net", "Persistence"]
    assert net.get_linestyle() == "-" != baseline.get_linestyle()


def test_the_axis_has_the_unit_of_the_lead_and_the_count_of_pixels(drawn) -> None:
    """A score over few pixels would look as reliable as one over many."""
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
    """A lead that was never observed would have the best score."""
    (axes,) = drawn(plot(curve(means=(1.0, None, 3.0))))
    assert np.isnan(axes.get_lines()[0].get_ydata()).tolist() == [False, True, False]


def test_the_spread_over_seeds_is_shaded(drawn) -> None:
    """A difference by chance would look like an improvement."""
    (axes,) = drawn(plot(curve(spreads=(0.5, 0.5, 0.5), num=3)))
    (shade,) = axes.collections
    assert shade.get_paths()[0].vertices[:, 1].max() == 3.5
    assert legend_of(axes).get_texts()[0].get_text() == "Net (3 seeds)"


def test_protocols_of_one_unit_share_one_scale(drawn) -> None:
    """Heights on two scales look comparable and are not."""
    axes = drawn(plot(), plot(curve(means=(10.0, 20.0, 30.0)), fingerprint="4567"))
    assert len({place.get_ylim() for place in axes}) == 1
    assert [place.get_title("right") for place in axes] == ["protocol 0123", "protocol 4567"]
    other = drawn(plot(), plot(curve(means=(10.0, 20.0, 30.0)), unit="m"))
    assert len({place.get_ylim() for place in other}) == 2


def test_many_leads_and_recipes_are_distinguishable(drawn) -> None:
    """With more recipes than colours, two lines would look the same."""
    many = [curve(f"n{k}", means=tuple(range(k, k + 20)), spreads=(None,) * 20) for k in range(9)]
    (axes,) = drawn(plot(*many, ahead=tuple(range(1, 21)), num_valid=(1,) * 20))
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.get_lines()}
    assert len(looks) == 9
    assert len([t for t in axes.get_xticklabels() if t.get_text()]) <= 12


def test_the_legend_of_a_long_name_is_shortened(drawn) -> None:
    """The legend of a run with many overrides would cover the plot."""
    (axes,) = drawn(plot(curve("Net (probe: " + " ".join(["model.net.width=8"] * 30) + ")")))
    (entry,) = (text.get_text() for text in legend_of(axes).get_texts())
    assert max(map(len, entry.split("\n"))) <= chart.LETTERS[1]
    assert entry.startswith("Net")
    assert entry.endswith("...")
    assert entry.count("\n") == 2


def test_the_same_plots_give_the_same_bytes() -> None:
    """A figure in a repository would change with each run of the command."""
    assert draw_error_curves([plot()]) == draw_error_curves([plot()])
    assert b"Software" not in draw_error_curves([plot()])


@pytest.mark.parametrize("text", ["$x$", r"$\frac{1}{$", "\x1b[2J", "a_b^c", "\udcff", "a $ b $"])
def test_texts_are_drawn_as_they_are(drawn, text: str) -> None:
    """A name with dollar signs would be drawn as a formula, or end the command in a traceback."""
    shown = text.encode("unicode_escape").decode() if not text.isprintable() else text
    (axes,) = drawn(plot(curve(text), title=text, metric=text, unit=text, time_unit=text))
    legend = [written.get_text() for written in legend_of(axes).get_texts()]
    assert legend == [shown]
    assert axes.get_title(loc="left") == shown
    for written in (*legend_of(axes).get_texts(), axes.xaxis.label, axes.yaxis.label):
        assert not written.get_parse_math()


@pytest.mark.parametrize("number", [1, 2, 6, 12])
def test_the_legend_covers_no_line(drawn, number: int) -> None:
    """The line of a baseline would be hidden."""
    curves = [curve(f"A recipe of a long name, number {i}") for i in range(number)]
    baselines = [curve("Persistence", baseline=True, means=(90.0, 95.0, 100.0))]
    (axes,) = drawn(plot(*curves, *baselines))
    assert legend_of(axes).get_window_extent().y1 <= axes.get_window_extent().y0
    figure = axes.get_figure()
    lowest = min(text.get_window_extent().y0 for text in legend_of(axes).get_texts())
    assert lowest >= figure.bbox.y0


@pytest.mark.parametrize("number", [2, 9])
def test_nothing_of_long_texts_is_cut_off(drawn, number: int) -> None:
    """The end of a name, where recipes differ, would be outside of the page."""
    name = "human_modification/quantile_convlstm_with_a_name_of_many_words_and_overrides"
    curves = [curve(f"{name}_{i}", num=3) for i in range(number)]
    title = "a data set of a long name that does not fit into one line (SYNTHETIC)"
    large = {"num_valid": (40_000_000,) * 7, "ahead": tuple(range(7))}
    curves = [replace(c, means=(1.0,) * 7, spreads=(None,) * 7) for c in curves]
    for axes in drawn(plot(*curves, title=title, **large), plot(curve(), title=title)):
        page = axes.get_figure().bbox
        shown = [axes.get_title("left"), *(t.get_text() for t in axes.get_xticklabels())]
        assert "SYNTHETIC" in shown[0]
        labels = [label.get_window_extent() for label in axes.get_xticklabels()]
        texts = [*(t.get_window_extent() for t in legend_of(axes).get_texts()), *labels]
        (written,) = (t for t in axes.findobj(Text) if t.get_text() == shown[0])
        texts.append(written.get_window_extent())
        for extent in texts:
            assert page.x0 <= extent.x0 < extent.x1 <= page.x1
            assert page.y0 <= extent.y0 < extent.y1 <= page.y1
        for left, right in pairwise(labels):
            assert left.x1 < right.x0
