"""What a picture of a forecast shows."""

import time
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.image import AxesImage

from openstl_ext.errors import UserError
from openstl_ext.visualization.blocks import blocks_of
from openstl_ext.visualization.grid import Layout, draw_grid, shown_steps, step_label
from openstl_ext.visualization.page import DPI, text_width
from openstl_ext.visualization.saved import SavedSample
from openstl_ext.visualization.scales import centred, colormaps, shared

MINUS = "\N{MINUS SIGN}"
PNG = b"\x89PNG"


def sample(past=3, future=2, channels=1, height=6, width=8) -> SavedSample:
    draw = np.random.default_rng(0)
    frames = draw.uniform(0, 1, (past + 2 * future, channels, height, width)).astype("float32")
    return SavedSample("s", frames[:past], frames[past : past + future], frames[past + future :])


def panels(page) -> list[AxesImage]:
    return page.axes.images


def words(page) -> list[str]:
    return [text.get_text() for text in page.axes.texts]


@pytest.mark.parametrize(
    ("past", "future", "channels", "height", "width"),
    [
        (10, 10, 1, 8, 8),
        (4, 12, 3, 6, 10),
        (10, 4, 2, 12, 3),
        (1, 1, 1, 300, 400),
        (2, 20, 1, 4, 4),
    ],
)
def test_any_lengths_channels_and_shapes_are_drawn(past, future, channels, height, width):
    """simvp_minimal's picture assumed one channel and as many outputs as inputs."""
    page = draw_grid(sample(past, future, channels, height, width))
    columns = len(shown_steps(past, 12)) + 3 * len(shown_steps(future, 12))
    assert len(panels(page)) == channels * columns
    assert page.png().startswith(PNG)


def test_inputs_truth_and_forecast_share_one_scale():
    """Panels that scale themselves make a forecast that is too dark look right."""
    found = sample(2, 2)
    found.forecast[...] = 5.0
    limits = {(p.norm.vmin, p.norm.vmax) for p in panels(draw_grid(found))[:6]}
    assert limits == {(min(found.inputs.min(), found.truth.min()), 5.0)}


def test_the_difference_is_signed_and_centred_at_zero():
    """Without a sign nobody sees that a forecast is always too low."""
    found = sample(1, 2)
    page = draw_grid(found)
    error = found.forecast - found.truth
    for step, panel in enumerate(panels(page)[5:]):
        np.testing.assert_array_equal(panel.get_array(), error[step, 0])
        assert panel.norm.vmin == -panel.norm.vmax == -np.abs(error).max()
        np.testing.assert_allclose(panel.cmap(0.5)[:3], (1, 1, 1), atol=0.05)


def test_missing_data_have_their_own_colour_and_a_legend():
    """A gap drawn as a value is taken for one."""
    found = sample(2, 2)
    assert "no data" not in words(draw_grid(found))
    found.truth[0, 0, :3] = np.nan
    page = draw_grid(found)
    assert "no data" in words(page)
    difference = panels(page)[6]
    assert difference.get_array().mask[:3].all()
    assert not difference.get_array().mask[3:].any()
    assert words(page).count("50 %") == 1


@pytest.mark.parametrize("name", ["viridis", "gray", "inferno", "RdBu", "Greys", "nipy_spectral"])
def test_the_colour_of_gaps_is_no_colour_of_a_value(name):
    """Grey gaps in a grey map cannot be seen."""
    values, differences, missing = colormaps(name)
    for cmap in (values, differences):
        assert cmap.get_bad()[:3] == pytest.approx(values.get_bad()[:3])
    used = values(np.linspace(0, 1, 256))[:, :3]
    assert np.abs(used - values.get_bad()[:3]).sum(axis=1).min() > 0.1
    assert missing.startswith("#")


def test_mean_squared_errors_are_of_what_is_known():
    """Closed form: 1 everywhere but in gaps is 1, not 1/2."""
    found = sample(1, 2, 2)
    found.forecast[...] = found.truth + 1
    found.truth[0, :, :3] = np.nan
    found.truth[1] = np.nan
    block = blocks_of(found, ["a", "b"])[0]
    np.testing.assert_allclose(block.mse, [1, np.nan], rtol=1e-5)
    assert block.known.tolist() == [0.5, 0]
    assert "n/a" in words(draw_grid(found))


def test_channels_are_picked_by_name_or_number():
    """Thirteen bands in one picture show nothing."""
    found, names = sample(channels=3), ["inflow", "outflow", "speed"]
    for word in ("outflow", "1"):
        (block,) = blocks_of(found, names, picked=[word])
        np.testing.assert_array_equal(block.truth, found.truth[:, 1])
    with pytest.raises(UserError, match="did you mean 'inflow'"):
        blocks_of(found, names, picked=["inflaw"])
    with pytest.raises(UserError, match="3, numbered from 0"):
        blocks_of(found, names, picked=["3"])


def test_three_channels_can_be_colours():
    """Photographs as three grey pictures are hard to read."""
    found = sample(channels=3)
    found.truth[0, 1, 0, 0] = np.nan
    page = draw_grid(found, rgb=True)
    assert panels(page)[3].get_array().shape == (6, 8, 3)
    with pytest.raises(UserError, match="needs 3 channels"):
        draw_grid(sample(channels=2), rgb=True)


def test_steps_are_labelled_with_their_lead():
    """The third column may be 3 frames, 90 minutes or 15 years ahead."""
    assert [step_label(s, ()) for s in (-1, 0, 1)] == [f"t{MINUS}1", "t", "t+1"]
    assert [step_label(s, (30, "min")) for s in (-2, 0, 2)] == [f"{MINUS}60", "0", "+60"]
    page = draw_grid(sample(2, 2), {"lead": [5, "yr"], "unit": "K", "config": "hm/net"})
    assert {"yr", f"{MINUS}5", "0", "+5", "+10", "hm/net"} <= set(words(page))


def test_long_sequences_are_thinned_evenly_and_it_is_said():
    """Twenty panels on a page are too small, and a step left out silently misleads."""
    assert shown_steps(20, 12) == list(range(1, 20, 2))
    assert shown_steps(12, 12) == list(range(12))
    assert shown_steps(30, 12)[-1] == 29
    assert "10 of 20 forecast steps are shown" in words(draw_grid(sample(2, 20)))


@pytest.mark.parametrize("size", [(64, 64), (32, 32), (7, 90), (90, 7), (128, 160), (1000, 2000)])
def test_panels_hold_whole_pixels_and_do_not_overlap(size):
    """A data pixel that is two or three screen pixels wide looks like a pattern."""
    layout = Layout.fit(*size, columns=10)
    if max(size) <= 160:
        assert layout.panel[0] % size[1] == layout.panel[1] % size[0] == 0
    assert layout.pitch > layout.panel[0]
    boxes = [layout.box(column, 0) for column in range(10)]
    assert all(a[0] + a[2] < b[0] for a, b in pairwise(boxes))
    assert boxes[-1][0] + boxes[-1][2] < layout.width < 4000


def test_no_words_overlap():
    """Labels that run into each other are the first thing a reader sees."""
    found = sample(10, 10, 2)
    found.truth[0, 0, 0] = np.nan
    page = draw_grid(
        SavedSample("f" * 75, *(getattr(found, k) * 1e-5 for k in ("inputs", "truth", "forecast"))),
        {"lead": [300, "min"], "config": "boiling/a_config_with_a_long_name"},
    )
    page.png()
    renderer = page.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in page.axes.texts if t.get_text()]
    for index, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= page.width
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_the_same_forecast_gives_the_same_bytes():
    """Else a picture in a repository changes with each run of the tool."""
    assert draw_grid(sample()).png() == draw_grid(sample()).png()
    assert b"Software" not in draw_grid(sample()).png()


def test_scales_survive_constants_and_nothing():
    """A dead forecast must still be drawn."""
    nothing = np.full((1, 2, 2), np.nan, dtype="float32")
    for norm in (shared(nothing), shared(nothing * 0 + 3), shared(np.full((1, 2, 2), 7.0))):
        assert norm.vmin < norm.vmax
    assert shared(np.full((1, 2, 2), 7.0), np.array([np.inf, 7.0]))(7.0) == 0.5
    assert centred(nothing).vmax == centred(np.zeros((1, 2, 2))).vmax == 1


def test_an_unknown_colormap_is_answered_with_the_nearest():
    """Nobody knows the names of all maps."""
    with pytest.raises(UserError, match="did you mean 'viridis'"):
        draw_grid(sample(), colormap="virdis")


def test_ten_columns_take_less_than_a_second_and_a_half():
    """A picture for each of a hundred samples should not need a coffee."""
    found = sample(10, 10, height=64, width=64)
    draw_grid(found).png()  # fonts are found once a process
    start = time.process_time()
    draw_grid(found).png()
    assert time.process_time() - start < 1.5
    assert text_width("word", 10) < DPI
