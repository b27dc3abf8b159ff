"""Figures of reconstructions."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from openstl_ext.visualization.reconstruction import (
    HIDDEN,
    NO_DATA,
    Reconstruction,
    band_groups,
    reconstruction_panel,
)

NAMES = ("blue_1", "green_2", "red_2", "red_edge_1", "near_infrared_1", "microwave_1")


def drawn(*, size: tuple[int, int] = (8, 12), hidden: tuple[int, ...] = (1,)) -> Reconstruction:
    draw = np.random.default_rng(0)
    frames, answer = draw.normal(size=(2, len(NAMES), *size)).astype("float32")
    mask = np.zeros(size[0] * size[1] // 16, bool)
    mask[list(hidden)] = True
    return Reconstruction("s1", frames, mask, answer)


def panels(page) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for image in page.axes.images]


def test_bands_are_grouped_by_their_names():
    """The red edge would be drawn as red."""
    assert band_groups(NAMES) == {
        "RGB": (2, 1, 0),
        "red edge": (3,),
        "near infrared": (4,),
        "radar": (5,),
    }
    assert band_groups(("microwave_1", "microwave_2")) == {"radar": (0,)}
    assert band_groups(("red_edge_1", "green_1", "blue_1")) == {"red edge": (0,)}
    assert band_groups(("aerosol", "other")) == {"aerosol": (0,)}


def test_hidden_patches_are_row_by_row():
    """The picture would show visible patches as hidden."""
    hidden = drawn(hidden=(1, 3)).hidden  # 2 x 3 patches of 4 x 4
    expected = np.zeros((8, 12), bool)
    expected[:4, 4:8] = expected[4:, :4] = True
    np.testing.assert_array_equal(hidden, expected)


def test_input_masked_and_reconstruction_share_one_stretch():
    """A reconstruction that is too dark would look right."""
    found = drawn()
    image, masked, answer = panels(reconstruction_panel([found], {"near infrared": (4,)}))
    low, high = np.percentile(found.frames[4], (2, 98))
    pasted = np.where(found.hidden, found.reconstruction[4], found.frames[4])
    for panel, values in ((image, found.frames[4]), (answer, pasted)):
        expected = np.clip((values - low) / (high - low), 0, 1)
        np.testing.assert_allclose(panel, expected[..., None].repeat(3, -1), atol=1e-6)
    np.testing.assert_array_equal(masked[~found.hidden], image[~found.hidden])
    np.testing.assert_allclose(masked[found.hidden], np.tile(to_rgb(HIDDEN), (16, 1)))


def test_colours_are_in_the_order_of_the_group():
    """Vegetation would be blue."""
    found = drawn()
    rgb, single = (panels(reconstruction_panel([found], {"g": g}))[0] for g in ((2, 1, 0), (2,)))
    np.testing.assert_array_equal(rgb[..., 0], single[..., 0])


def test_absent_channels_have_their_own_colour():
    """Zeros of a sensor without the band would look like a measurement."""
    found = drawn()
    found.frames[5] = np.nan
    for panel in panels(reconstruction_panel([found], {"radar": (5,)})):
        np.testing.assert_allclose(panel, np.broadcast_to(to_rgb(NO_DATA), (8, 12, 3)))


@pytest.mark.parametrize("number", [1, 4])
def test_any_number_of_samples_is_drawn_and_no_texts_overlap(number: int):
    """Labels would be unreadable."""
    samples, groups = [drawn(size=(16, 16), hidden=(0, 5))] * number, {"RGB": (2, 1, 0)}
    texts = {"title": "smarties/vit_s", "note": "mean of each hidden patch from the input"}
    page = reconstruction_panel(samples, groups, **texts)
    assert len(panels(page)) == 3 * len(groups) * number
    assert page.png() == reconstruction_panel(samples, groups, **texts).png()
    renderer = page.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in page.axes.texts]
    for index, box in enumerate(boxes):
        assert 0 <= box.x0 < box.x1 <= page.width
        assert 0 <= box.y0 < box.y1 <= page.height
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])
    found = [t.get_text() for t in page.axes.texts]
    assert "s1, 12 % hidden" in found
    assert found[-1].endswith("in the input; mean of each hidden patch from the input")


def test_arrays_that_do_not_fit_are_named():
    """A mask of another patch size would hide wrong places."""
    found = drawn()
    with pytest.raises(ValueError, match="do not fit"):
        Reconstruction("s", found.frames, found.mask, found.reconstruction[:2])
    with pytest.raises(ValueError, match="do not cover 8 x 12"):
        Reconstruction("s", found.frames, np.zeros(5, bool), found.reconstruction)
    with pytest.raises(ValueError, match="'g' needs one or three channels"):
        reconstruction_panel([found], {"g": (0, 1)})
