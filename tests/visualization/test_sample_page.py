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
    page = draw_samples(samples, title="set", unit="K")
    norms = [image.norm for image in page.axes.images]
    assert len(norms) == 8
    assert {(norm.vmin, norm.vmax) for norm in norms} == {(0, 1)}
    words = [text.get_text() for text in texts_of(page)]
    assert {"input 1", "input 2", "target 1", "target 2", "train: a", "test: b"} <= set(words)


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
