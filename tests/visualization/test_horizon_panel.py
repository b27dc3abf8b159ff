"""Figures of forecasts per horizon."""

import numpy as np
import pytest
from matplotlib.image import AxesImage

from openstl_ext.errors import UserError
from openstl_ext.visualization.horizon_panel import Layout, draw_panel
from openstl_ext.visualization.panel_sample import PanelSample
from openstl_ext.visualization.scales import between, declared, with_missing

YEARS = ("2005", "2010", "2015")


def sample(name="s", *, seed=0, interval=True, valid=None, scale=1.0, side=(6, 8)) -> PanelSample:
    draw = np.random.default_rng(seed)
    shape = (3, *side)
    target, forecast = scale * draw.uniform(0, 1, (2, *shape)).astype("float32")
    ends = {"lower": forecast - 0.1, "upper": forecast + 0.1} if interval else {}
    valid = np.ones(shape, dtype=bool) if valid is None else valid
    return PanelSample.masked(name, YEARS, valid, target=target, forecast=forecast, **ends)


def gaps() -> np.ndarray:
    """Return a mask without five pixels of the first horizon and all of the last."""
    valid = np.ones((3, 6, 8), dtype=bool)
    valid[0, 0, :5] = valid[2] = False
    return valid


def panels(page) -> list[AxesImage]:
    return page.axes.images


def words(page) -> list[str]:
    return [text.get_text() for text in page.axes.texts]


def limits(page, columns: int) -> list[set[tuple[float, float]]]:
    """Return the ends of the scales of each column."""
    images = panels(page)
    return [
        {(image.norm.vmin, image.norm.vmax) for image in images[column::columns]}
        for column in range(columns)
    ]


@pytest.mark.parametrize("interval", [True, False])
def test_each_sample_has_a_block_and_each_horizon_a_row(interval):
    """Forecasts without intervals could not be drawn."""
    page = draw_panel([sample(f"s{k}", seed=k, interval=interval) for k in range(5)])
    columns = 4 if interval else 3
    assert len(panels(page)) == 5 * 3 * columns
    assert words(page).count("difference") == 5 + 1  # above each block and at the scale
    assert {f"s{k}" for k in range(5)} <= set(words(page))
    assert ("interval width" in words(page)) is interval
    assert page.png().startswith(b"\x89PNG")


def test_rows_are_labelled_with_their_count_of_valid_pixels():
    """An error over few pixels would look as reliable as one over many."""
    page = draw_panel([sample(valid=gaps())])
    labels = [word for word in words(page) if "valid_px" in word]
    assert labels == ["2005, valid_px = 43", "2010, valid_px = 48", "2015, valid_px = 0"]
    assert words(page).count("no target") == 1


def test_errors_of_thousands_are_written_without_exponent():
    """An error of 2.83e+03 is hard to compare with a scale to 10000."""
    page = draw_panel([sample(scale=10_000)])
    errors = [word for word in words(page) if word.startswith("MAE")]
    assert len(errors) == 3
    assert all(word.removeprefix("MAE ").isdigit() for word in errors)


def test_pixels_without_a_target_are_missing_in_every_column():
    """A forecast without a target would look like an error or a success."""
    page = draw_panel([sample(valid=gaps())])
    for image in panels(page)[:4]:
        mask = np.ma.getmaskarray(image.get_array())
        assert mask[0, :5].all()
        assert mask.sum() == 5
    for image in panels(page)[8:]:
        assert np.ma.getmaskarray(image.get_array()).all()
    assert len({image.cmap.get_bad().tobytes() for image in panels(page)}) == 1


@pytest.mark.parametrize("name", ["viridis", "gray", "turbo", "magma", "RdBu"])
def test_the_colour_of_gaps_differs_from_all_colours_of_values(name):
    """Grey gaps in a grey map would be invisible."""
    *maps, missing = with_missing(name, "RdBu_r", "magma")
    for cmap in maps:
        used = cmap(np.linspace(0, 1, 256))[:, :3]
        assert np.abs(used - cmap.get_bad()[:3]).sum(axis=1).min() > 0.1
    assert missing.startswith("#")
    with pytest.raises(UserError, match="did you mean 'viridis'"):
        draw_panel([sample()], colormap="virdis")


def test_all_blocks_share_one_fixed_scale():
    """A sample with small changes would look like one with large changes."""
    samples = [sample(seed=1), sample(seed=2, scale=0.01)]
    for unit, ends in (("0-1", (0, 1)), ("0-10000", (0, 10000))):
        found = limits(draw_panel(samples, {"unit": unit}), 4)
        assert found[0] == found[1] == {ends}
    given = limits(draw_panel(samples, {"unit": "0-1"}, value_range=(-2, 3)), 4)
    assert given[0] == given[1] == {(-2, 3)}
    known = np.concatenate([a for s in samples for a in (s.target, s.forecast)])
    (shared,) = limits(draw_panel(samples, {"unit": "K"}), 4)[0]
    np.testing.assert_allclose(shared, np.percentile(known, (1, 99)), rtol=1e-5)


def test_the_difference_is_signed_and_symmetric_over_all_blocks():
    """White would mean different errors in different blocks."""
    samples = [sample(seed=1), sample(seed=2, scale=0.01)]
    page = draw_panel(samples)
    (ends,) = limits(page, 4)[2]
    most = max(float(np.abs(s.forecast - s.target).max()) for s in samples)
    assert ends == (-most, most)
    np.testing.assert_array_equal(panels(page)[2].get_array(), samples[0].difference[0])
    assert panels(page)[2].cmap(1.0)[0] > panels(page)[2].cmap(1.0)[2]


def test_the_interval_shows_its_width_from_zero():
    """A scale from the narrowest width hides that all intervals are wide."""
    page = draw_panel([sample()])
    np.testing.assert_allclose(panels(page)[3].get_array(), 0.2, rtol=1e-5)
    (ends,) = limits(page, 4)[3]
    assert ends == (0, pytest.approx(0.2))


def test_errors_count_valid_pixels_only():
    """Gaps would change the error: an error of 1 at all valid pixels is 1."""
    ones = np.ones((2, 2, 2), dtype="float32")
    valid = ones.astype(bool)
    valid[0, 0, 0] = valid[1] = False
    target = np.where(valid, ones, np.nan)
    found = PanelSample.masked("s", "ab", valid, target=target, forecast=target + ones)
    np.testing.assert_array_equal(found.errors, [1, np.nan])
    assert found.num_valid == (3, 0)


def test_values_beyond_the_scale_are_noted():
    """Values of 10 and 1000 in one colour would look equal."""
    note = "no data or no target; values beyond the scale have its end colours"
    assert note in words(draw_panel([sample(scale=3.0)], {"unit": "0-1"}))
    assert note not in words(draw_panel([sample()], {"unit": "0-1"}))


def test_a_unit_can_be_a_range():
    """The scale would depend on the sample instead of the dataset."""
    ends = {unit: declared(unit) for unit in ("0-1", "0 - 10000", "K", "1", "1-1", "5-2", "mm/h")}
    found = {unit: (norm.vmin, norm.vmax) for unit, norm in ends.items() if norm}
    assert found == {"0-1": (0, 1), "0 - 10000": (0, 10000)}
    constant = between([np.full(3, 7.0, dtype="float32")])
    assert constant.vmin < 7 < constant.vmax
    assert between([np.full(3, np.nan, dtype="float32")]).vmax == 1


def test_a_panel_without_any_target_is_drawn():
    """A region without observations would end in a traceback."""
    nothing = np.zeros((3, 6, 8), dtype=bool)
    assert draw_panel([sample(valid=nothing)]).png()


@pytest.mark.parametrize(
    ("shape", "columns", "rows", "blocks"),
    [((32, 32), 4, 4, 7), ((128, 128), 3, 4, 7), ((300, 400), 3, 10, 2), ((7, 90), 3, 1, 1)],
)
def test_pages_fit_a_screen_and_blocks_do_not_overlap(shape, columns, rows, blocks):
    """A page of thirty rows would not fit a screen."""
    layout = Layout.fit(shape, columns=columns, rows=rows, blocks=blocks)
    assert layout.across * layout.down >= blocks
    assert layout.width < 3000
    assert layout.height < 2600
    corners = [layout.corner(block) for block in range(blocks)]
    width, height = layout.block
    assert len(set(corners)) == blocks
    for left, top in corners:
        assert left + width < layout.width
        assert top + height < layout.height
        for other in corners:
            apart = abs(other[0] - left) >= width or abs(other[1] - top) >= height
            assert apart or other == (left, top)


@pytest.mark.parametrize("number", [1, 7])
def test_no_texts_overlap_or_leave_the_page(number):
    """Labels would be unreadable."""
    names = [f"a_sample_with_a_name_as_long_as_this_{k}" * 2 for k in range(number)]
    samples = [sample(name, seed=k, valid=gaps(), scale=3) for k, name in enumerate(names)]
    about = {"title": "t" * 200, "subtitle": "val: 7 of 90 samples; weights of x", "unit": "0-1"}
    page = draw_panel(samples, about)
    page.png()
    renderer = page.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in page.axes.texts if t.get_text()]
    for index, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= page.width
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_the_same_forecasts_give_the_same_bytes_and_colours():
    """A figure in a repository would change with each run, or differ from the trackers'."""
    pages = [draw_panel([sample()]) for _ in range(2)]
    assert pages[0].png() == pages[1].png()
    shown = pages[0].pixels()
    assert shown.shape == (pages[0].height, pages[0].width, 3)
    assert shown.dtype == np.uint8
    assert (shown != 255).any()


def test_samples_that_differ_and_wrong_ranges_are_refused():
    """Samples of different shapes would be drawn on wrong axes."""
    with pytest.raises(UserError, match="no sample"):
        draw_panel([])
    with pytest.raises(UserError, match="the lesser first"):
        draw_panel([sample()], value_range=(1, 0))
    with pytest.raises(ValueError, match="one shape"):
        draw_panel([sample(), sample(interval=False)])
    valid = np.ones((3, 6, 8), dtype=bool)
    arrays = {"target": valid * 1.0, "forecast": valid * 1.0}
    with pytest.raises(ValueError, match="2 horizons"):
        PanelSample.masked("s", "ab", valid, **arrays)
