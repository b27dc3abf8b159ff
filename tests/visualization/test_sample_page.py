"""Pages of samples of a dataset, and texts that are longer than their place."""

import numpy as np
import pytest
from matplotlib.text import Text

from openstl_ext.visualization.legend import headline
from openstl_ext.visualization.page import Page, fitted, text_width
from openstl_ext.visualization.sample_page import SampleView, draw_samples

LONG = "human_modification/quantile_convlstm_with_a_name_of_many_words_and_overrides"


def frames(length: int, *, channels: int = 1, value: float = 0.0) -> np.ndarray:
    return np.full((length, channels, 8, 8), value, np.float32)


def texts_of(page: Page) -> list[Text]:
    page.pixels()
    return [text for text in page.figure.findobj(Text) if text.get_text()]


def test_frames_of_a_channel_have_one_scale_in_all_samples() -> None:
    """A dark and a bright sample would look the same."""
    samples = [
        SampleView(split="train", name="a", inputs=frames(2), target=frames(2)),
        SampleView(split="test", name="b", inputs=frames(2, value=1.0), target=frames(2)),
    ]
    page = draw_samples(samples, title="set", units=["K"])
    norms = [image.norm for image in page.axes.images]
    assert len(norms) == 8
    assert {(norm.vmin, norm.vmax) for norm in norms} == {(0, 1)}
    words = [text.get_text() for text in texts_of(page)]
    assert {"input 1", "input 2", "target 1", "target 2", "train: a", "test: b"} <= set(words)


def random(length: int, channels: int) -> np.ndarray:
    drawn = np.random.default_rng(length).random((length, channels, 6, 9))
    return drawn.astype(np.float32)


def words_of(page: Page) -> list[str]:
    return [text.get_text() for text in texts_of(page)]


def images_of(page: Page) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for image in page.axes.images]


def test_each_channel_has_a_row_with_its_unit() -> None:
    """A user would not see whether channels and times are as intended."""
    inputs = random(2, 2)
    sample = SampleView(split="train", name="a", inputs=inputs, target=random(3, 2))
    page = draw_samples(
        [sample], title="set", channels=["u", "p"], units=["m/s", "hPa"], lead=(6, "h")
    )
    assert len(images_of(page)) == 10
    np.testing.assert_allclose(images_of(page)[6], inputs[1, 1], rtol=1e-6)
    words = words_of(page)
    assert {"u", "p", "m/s", "hPa"} <= set(words)
    assert "one step is 6 h" in words


@pytest.mark.parametrize("unit", ["0-1", "0-2"])
def test_red_green_and_blue_are_colours_on_the_scale_of_their_unit(unit: str) -> None:
    """Pictures would be three grey maps, or have exchanged colours, or hide a wrong scale."""
    inputs = random(2, 3)
    sample = SampleView(split="train", name="a", inputs=inputs, target=random(2, 3))
    page = draw_samples([sample], title="set", channels=["blue", "green", "red"], units=[unit] * 3)
    assert len(images_of(page)) == 4
    expected = np.moveaxis(inputs[0, ::-1], 0, -1) / float(unit[-1])
    np.testing.assert_allclose(images_of(page)[0], expected, rtol=1e-6)
    assert "RGB" in words_of(page)


@pytest.mark.parametrize("missing", [True, False])
def test_missing_values_have_a_legend(missing: bool) -> None:
    """Gaps would look like values; and colours with a gap would be wrong."""
    inputs = random(2, 3)
    if missing:
        inputs[1, 0, :2] = np.nan
    sample = SampleView(split="train", name="a", inputs=inputs, target=random(2, 3))
    page = draw_samples([sample], title="set", channels=["red", "green", "blue"])
    assert ("no data" in words_of(page)) == missing
    assert ("RGB" in words_of(page)) != missing


def test_what_is_left_out_is_stated() -> None:
    """A user would take the page for all channels and all frames."""
    sample = SampleView(split="train", name="a", inputs=random(20, 14), target=random(4, 14))
    page = draw_samples([sample], title="set", subtitle="mine", future="forecast")
    assert "mine; 5 of 20 inputs; 12 of 14 channels" in words_of(page)
    three = [SampleView(split=s, name=s, inputs=random(2, 14), target=random(2, 14)) for s in "abc"]
    assert "4 of 14 channels" in words_of(draw_samples(three, title="set"))


def test_labels_have_a_legend_of_their_classes() -> None:
    """A reader would not know which colour is which class."""
    labels = np.array([[0, 1], [2, -1]])
    inputs = frames(1, channels=3)[..., :2, :2]
    sample = SampleView(split="val", name="c", inputs=inputs, labels=labels)
    page = draw_samples([sample], title="set", classes=("water", "forest", "town"))
    words = [text.get_text() for text in texts_of(page)]
    assert words[-4:] == ["water", "forest", "town", "no label"]
    assert len({tuple(c) for c in np.asarray(page.axes.images[-1].get_array()).reshape(-1, 3)}) == 4


@pytest.mark.parametrize("room", [200, 900])
def test_a_long_text_keeps_its_two_ends(room: int) -> None:
    """Recipes that differ at the end of their names would look alike."""
    short = fitted(LONG, room, 8)
    assert text_width(short, 8) <= room
    assert short.startswith(LONG[:4])
    assert short.endswith(LONG[-4:])
    assert fitted("a", room, 8) == "a"


@pytest.mark.parametrize("config", ["a/b", LONG])
@pytest.mark.parametrize("sample", ["s1", LONG])
def test_headlines_do_not_overlap(config: str, sample: str) -> None:
    """The name of the sample would be written over that of the config."""
    page = Page(900, 100)
    headline(page, sample, config, 28)
    left, right = (text.get_window_extent() for text in texts_of(page))
    assert 0 <= left.x0 < left.x1 < right.x0 < right.x1 <= 900
