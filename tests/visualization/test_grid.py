"""Figures of forecasts: a grid of steps."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.image import AxesImage

from openstl_ext.errors import UserError
from openstl_ext.visualization.channel_rows import channel_rows
from openstl_ext.visualization.grid import Layout, draw_grid, shown_steps, step_label
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
    """simvp_minimal's figure assumes one channel and as many outputs as inputs."""
    page = draw_grid(sample(past, future, channels, height, width))
    columns = len(shown_steps(past, 12)) + 3 * len(shown_steps(future, 12))
    assert len(panels(page)) == channels * columns
    assert page.png().startswith(PNG)


def test_inputs_target_and_forecast_share_one_scale():
    """A biased forecast looks right on a scale of its own."""
    found = sample(2, 2)
    found.forecast[...] = 5.0
    limits = {(p.norm.vmin, p.norm.vmax) for p in panels(draw_grid(found))[:6]}
    assert limits == {(min(found.inputs.min(), found.target.min()), 5.0)}


def test_the_difference_is_signed_and_centred_at_zero():
    """A forecast that is always too low would not be visible."""
    found = sample(1, 2)
    page = draw_grid(found)
    error = found.forecast - found.target
    for step, panel in enumerate(panels(page)[5:]):
        np.testing.assert_array_equal(panel.get_array(), error[step, 0])
        assert panel.norm.vmin == -panel.norm.vmax == -np.abs(error).max()
        np.testing.assert_allclose(panel.cmap(0.5)[:3], (1, 1, 1), atol=0.05)


def test_missing_data_have_their_own_colour_and_a_legend():
    """A gap would be read as a value."""
    found = sample(2, 2)
    assert "no data" not in words(draw_grid(found))
    found.target[0, 0, :3] = np.nan
    page = draw_grid(found)
    assert "no data" in words(page)
    difference = panels(page)[6]
    assert difference.get_array().mask[:3].all()
    assert not difference.get_array().mask[3:].any()
    assert words(page).count("50 %") == 1


@pytest.mark.parametrize("name", ["viridis", "gray", "inferno", "RdBu", "Greys", "nipy_spectral"])
def test_the_colour_of_gaps_differs_from_all_colours_of_values(name):
    """Grey gaps in a grey map would be invisible."""
    values, differences, missing = colormaps(name)
    for cmap in (values, differences):
        assert cmap.get_bad()[:3] == pytest.approx(values.get_bad()[:3])
    used = values(np.linspace(0, 1, 256))[:, :3]
    assert np.abs(used - values.get_bad()[:3]).sum(axis=1).min() > 0.1
    assert missing.startswith("#")


def test_the_mean_squared_error_counts_known_pixels_only():
    """Gaps would lower the error: an error of 1 at half of the pixels is 1, not 1/2."""
    found = sample(1, 2, 2)
    found.forecast[...] = found.target + 1
    found.target[0, :, :3] = np.nan
    found.target[1] = np.nan
    rows = channel_rows(found, ["a", "b"])[0]
    np.testing.assert_allclose(rows.mse, [1, np.nan], rtol=1e-5)
    assert rows.known.tolist() == [0.5, 0]
    assert "n/a" in words(draw_grid(found))


def test_channels_are_picked_by_name_or_number():
    """All bands of a sample in one figure would be too small."""
    found, names = sample(channels=3), ["inflow", "outflow", "speed"]
    for word in ("outflow", "1"):
        (rows,) = channel_rows(found, names, picked=[word])
        np.testing.assert_array_equal(rows.target, found.target[:, 1])
    with pytest.raises(UserError, match="did you mean 'inflow'"):
        channel_rows(found, names, picked=["inflaw"])
    with pytest.raises(UserError, match="3, numbered from 0"):
        channel_rows(found, names, picked=["3"])


def test_three_channels_can_be_colours():
    """RGB frames would be shown as three grey images."""
    found = sample(channels=3)
    found.target[0, 1, 0, 0] = np.nan
    page = draw_grid(found, rgb=True)
    assert panels(page)[3].get_array().shape == (6, 8, 3)
    with pytest.raises(UserError, match="needs 3 channels"):
        draw_grid(sample(channels=2), rgb=True)


def test_steps_are_labelled_with_their_lead():
    """A column number does not show whether it is 3 frames, 90 minutes or 15 years ahead."""
    assert [step_label(s, ()) for s in (-1, 0, 1)] == [f"t{MINUS}1", "t", "t+1"]
    assert [step_label(s, (30, "min")) for s in (-2, 0, 2)] == [f"{MINUS}60", "0", "+60"]
    page = draw_grid(sample(2, 2), {"lead": [5, "yr"], "unit": "K", "config": "hm/net"})
    assert {"yr", f"{MINUS}5", "0", "+5", "+10", "hm/net"} <= set(words(page))


def test_long_sequences_are_shown_with_a_stride_and_a_note():
    """Panels would be too small, or a missing step would go unnoticed."""
    assert shown_steps(20, 12) == list(range(1, 20, 2))
    assert shown_steps(12, 12) == list(range(12))
    assert shown_steps(30, 12)[-1] == 29
    assert "10 of 20 forecast steps are shown" in words(draw_grid(sample(2, 20)))


@pytest.mark.parametrize("size", [(64, 64), (32, 32), (7, 90), (90, 7), (128, 160), (1000, 2000)])
def test_panels_hold_whole_pixels_and_do_not_overlap(size):
    """Data pixels of unequal width look like a pattern in the data."""
    layout = Layout.fit(*size, columns=10)
    if max(size) <= 160:
        assert layout.panel[0] % size[1] == layout.panel[1] % size[0] == 0
    assert layout.pitch > layout.panel[0]
    boxes = [layout.box(column, 0) for column in range(10)]
    assert all(a[0] + a[2] < b[0] for a, b in pairwise(boxes))
    assert boxes[-1][0] + boxes[-1][2] < layout.width < 4000


def test_no_texts_overlap():
    """Labels would be unreadable."""
    found = sample(10, 10, 2)
    found.target[0, 0, 0] = np.nan
    page = draw_grid(
        SavedSample(
            "f" * 75, *(getattr(found, k) * 1e-5 for k in ("inputs", "target", "forecast"))
        ),
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
    """A figure in a repository would change with each run of the command."""
    assert draw_grid(sample()).png() == draw_grid(sample()).png()
    assert b"Software" not in draw_grid(sample()).png()


def test_scales_of_constants_and_of_no_data_have_a_range():
    """A constant forecast could not be drawn."""
    nothing = np.full((1, 2, 2), np.nan, dtype="float32")
    for norm in (shared(nothing), shared(nothing * 0 + 3), shared(np.full((1, 2, 2), 7.0))):
        assert norm.vmin < norm.vmax
    assert shared(np.full((1, 2, 2), 7.0), np.array([np.inf, 7.0]))(7.0) == 0.5
    assert centred(nothing).vmax == centred(np.zeros((1, 2, 2))).vmax == 1


def test_an_unknown_colormap_proposes_the_nearest():
    """The user would have to look up the names."""
    with pytest.raises(UserError, match="did you mean 'viridis'"):
        draw_grid(sample(), colormap="virdis")
