"""Figures of confusion matrices."""

import numpy as np
import pytest

from openstl_ext.visualization.confusion_matrix import draw_confusion, summary

NAMES = ("forest", "herbaceous_vegetation", "river")
COUNTS = np.array([[90, 9, 1], [0, 40, 10], [0, 0, 0]])


def words(page) -> list[str]:
    return [text.get_text() for text in page.axes.texts]


def test_rows_are_observed_and_columns_predicted():
    """Misses would be read as false alarms."""
    page = draw_confusion(COUNTS, NAMES, title="smarties/probe")
    (image,) = page.axes.images
    expected = [[90, 9, 1], [0, 80, 20], [np.nan] * 3]
    np.testing.assert_allclose(np.asarray(image.get_array()), expected)
    assert (image.norm.vmin, image.norm.vmax) == (0, 100)
    rows = {t.get_text(): t.get_position() for t in page.axes.texts if t.get_ha() == "right"}
    tops = [rows[name][1] for name in NAMES]
    assert tops == sorted(tops)
    cells = {t.get_text(): t.get_position() for t in page.axes.texts if t.get_ha() == "center"}
    assert cells["20.0"][0] > cells["80.0"][0]  # herbaceous vegetation taken for river
    assert tops[0] < cells["20.0"][1] < tops[2]


def test_shares_counts_and_samples_are_written():
    """A share of few samples would look as certain as one of many."""
    texts = words(draw_confusion(COUNTS, NAMES, title="smarties/probe"))
    assert {"smarties/probe", "90.0", "90", "9.0", "9", "1.0", "80.0", "20.0", "100", "50"} <= {
        *texts
    }
    assert "0.0" not in texts
    assert texts.count("river") == 2
    words_below = "150 samples; overall accuracy 86.7 %, average of 2 observed classes 85.0 %"
    assert words_below in texts


def test_nothing_observed_has_no_accuracy():
    """0 / 0 would be a warning, or an accuracy of 0."""
    assert summary(np.zeros((2, 2), int), "pixels") == "0 pixels"
    assert draw_confusion(np.zeros((2, 2), int), ("a", "b")).png().startswith(b"\x89PNG")


@pytest.mark.parametrize("number", [2, 10, pytest.param(45, marks=pytest.mark.slow)])
def test_few_and_many_classes_are_readable(number: int):
    """Names or numbers would cover each other."""
    draw = np.random.default_rng(0)
    counts = draw.integers(0, 30, (number, number)) + 10_000 * np.eye(number, dtype=int)
    names = [f"dense_residential_{index}" for index in range(number)]
    page = draw_confusion(counts, names, title="smarties/resisc45_linear_probe")
    assert page.png() == draw_confusion(counts, names, title="smarties/resisc45_linear_probe").png()
    renderer = page.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in page.axes.texts]
    assert len(boxes) >= 3 * number
    for index, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= page.width
        assert box.y0 >= 0
        assert box.y1 <= page.height
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])
