"""Score cards."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from openstl_ext.results.score_card import Cell, ScoreCard
from openstl_ext.visualization.grid import MINUS
from openstl_ext.visualization.score_card import color_of, draw_score_card, percent
from openstl_ext.visualization.style import EMPTY


def card(*rows: tuple[Cell | None, ...]) -> ScoreCard:
    metrics = tuple(f"metric_{k}" for k in range(len(rows)))
    columns = ("all", *(f"+{k}" for k in range(1, len(rows[0]))))
    return ScoreCard("A relative to B", "30 samples", metrics, columns, rows)


def cell(change: float | None, sign: int = -1, verdict="better") -> Cell:
    return Cell(change, sign, verdict)


def test_better_is_blue_and_worse_is_red_for_both_directions() -> None:
    """A smaller error would look like a loss."""
    for sign in (-1, 1):
        for gain in (-1, 1):
            red, _, blue = to_rgb(color_of(cell(0.2 * gain * sign, sign), 0.5))
            assert (blue > red) == (gain > 0)
    assert np.min(to_rgb(color_of(cell(0.0), 0.5))) > 0.95
    assert color_of(cell(-0.9), 0.5) == color_of(cell(-0.5), 0.5)
    assert color_of(cell(0.3, 0), 0.5) == color_of(None, 0.5) == EMPTY


def test_each_cell_has_its_colour_and_its_text_at_its_place() -> None:
    """A change would be read in the column of another lead."""
    cells = (cell(-0.25), cell(-0.1, verdict="tied"), cell(0.4, verdict="worse"), None)
    page = draw_score_card(card(cells))
    texts = {t.get_text(): t for t in page.axes.texts}
    assert texts[f"{MINUS}25.0 % *"].get_fontweight() == "bold"
    assert texts[f"{MINUS}10.0 %"].get_fontweight() == "normal"
    assert "+40.0 % *" in texts
    pixels = page.pixels()
    for words, value in ((f"{MINUS}25.0 % *", cells[0]), ("+40.0 % *", cells[2])):
        left, top = texts[words].get_position()
        corner = pixels[int(top) - 15, int(left) - 40] / 255
        np.testing.assert_allclose(corner, to_rgb(color_of(value, 0.4)), atol=0.01)
        column = {0: "all", 2: "+2"}[cells.index(value)]
        assert texts[column].get_position()[0] == left


def test_the_title_names_both_rows() -> None:
    """The middle of a long title is cut, which is where the words between the names are."""
    title = "Flow matching (U-Net) (probe: model.num_members=32) relative to Flow matching (U-Net)"
    page = draw_score_card(replace(card((cell(-0.25),)), title=title))
    assert title in {text.get_text() for text in page.axes.texts}


def test_scores_without_a_value_are_marked() -> None:
    """A missing score would look like no change."""
    page = draw_score_card(card((cell(None), None)))
    assert "n/a" in [t.get_text() for t in page.axes.texts]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (0.0, "0.0 %"),
        (-0.0001, "0.0 %"),
        (0.0312, "+3.1 %"),
        (1.5, "+150 %"),
        (-0.999, f"{MINUS}99.9 %"),
        (25.0, "+>999 %"),
    ],
)
def test_changes_are_written_in_percent(change: float, words: str) -> None:
    """A tiny loss would be written as a gain of minus zero."""
    assert percent(change) == words


def test_the_same_card_gives_the_same_bytes() -> None:
    """A picture in a repository would change with each run of its command."""
    one = card((cell(-0.25), cell(0.3)), (cell(0.1, 1), None))
    assert draw_score_card(one).png() == draw_score_card(one).png()
