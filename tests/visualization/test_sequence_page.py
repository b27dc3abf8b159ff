"""Pictures of a sample without a forecast."""

import numpy as np
import pytest

from openstl_ext.visualization.page import Page
from openstl_ext.visualization.sequence_page import draw_sequence


def page(frames: np.ndarray, *channels: str, unit: str = "0-1") -> Page:
    return draw_sequence(
        frames.astype(np.float32),
        2,
        title="mine",
        sample="clip-000000",
        channels=channels,
        units=[unit] * len(channels),
        lead=(6, "h"),
    )


def words(page: Page) -> list[str]:
    return [text.get_text() for text in page.axes.texts]


def images(page: Page) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for image in page.axes.images]


def test_each_channel_has_a_row_of_inputs_and_of_targets() -> None:
    """A user would not see whether channels and times are as intended."""
    frames = np.random.default_rng(0).random((5, 2, 6, 9))
    drawn = page(frames, "u", "v", unit="m/s")
    assert len(images(drawn)) == 10
    np.testing.assert_allclose(images(drawn)[2], frames[2, 0], rtol=1e-6)
    assert [w for w in words(drawn) if w in ("u", "v")] == ["u", "v"]
    assert words(drawn).count("inputs") == words(drawn).count("targets") == 2
    assert {"+6", "+12", "+18", "0", "times in h"} <= set(words(drawn))


def test_red_green_and_blue_are_colours_in_any_order() -> None:
    """Pictures would be shown as three grey maps, or with exchanged colours."""
    frames = np.random.default_rng(0).random((4, 3, 6, 9))
    drawn = page(frames, "blue", "green", "red")
    assert len(images(drawn)) == 4
    np.testing.assert_allclose(images(drawn)[0], np.moveaxis(frames[0, ::-1], 0, -1), rtol=1e-6)


@pytest.mark.parametrize("missing", [True, False])
def test_missing_values_have_a_legend(missing: bool) -> None:
    """Gaps would look like values."""
    frames = np.full((4, 1, 8, 8), 0.5)
    if missing:
        frames[1, 0, :2] = np.nan
    assert ("no data" in words(page(frames, "a"))) == missing
