"""Saved labels of entire samples, and their figures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext.errors import DataError, UserError
from openstl_ext.visualization.drawing import draw_all_labels, draw_saved
from openstl_ext.visualization.label_scores import class_scores, draw_label_scores
from openstl_ext.visualization.saved import SavedFolder
from openstl_ext.visualization.saved_scenes import confusion_of

ABOUT = {"kind": "scenes", "classes": ["forest", "water", "town"], "config": "smarties/probe"}


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., SavedFolder]:
    """Write labels as a test run saves them."""

    def write(target: Any, labels: Any) -> SavedFolder:
        arrays = {
            "trues": np.array(target, np.int16),
            "preds": np.array(labels, np.int16),
            "probs": np.full((len(labels), 3), 1 / 3, np.float32),
        }
        for kind, array in arrays.items():
            np.save(tmp_path / f"{kind}.npy", array)
        (tmp_path / "about.json").write_text(json.dumps(ABOUT))
        (tmp_path / "samples.json").write_text(json.dumps([f"s{i}" for i in range(len(labels))]))
        return SavedFolder(tmp_path)

    return write


def words(page) -> list[str]:
    return [text.get_text() for text in page.axes.texts]


def test_one_class_per_sample_gives_a_confusion_matrix(save):
    """A sample without a known class would count as one."""
    page = draw_all_labels(save([0, 0, 1, 2, -1], [0, 1, 1, 1, 2]))
    assert "4 samples; overall accuracy 50.0 %, average of 3 observed classes 50.0 %" in words(page)
    (image,) = page.axes.images
    np.testing.assert_array_equal(image.get_array(), [[50, 50, 0], [0, 100, 0], [0, 100, 0]])
    counts = confusion_of([(np.array([0, -1]), np.array([2, 0]))], 3, "here")
    assert counts.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_several_labels_per_sample_give_the_scores_of_each_class(save):
    """The samples of a class that has several would be counted as confusions."""
    target, labels = [[1, 0, 0], [1, 1, -1], [0, 1, 0]], [[1, 1, 0], [0, 1, 1], [0, 1, 0]]
    page = draw_all_labels(save(target, labels))
    (image,) = page.axes.images
    expected = [[100, 50, 200 / 3], [200 / 3, 100, 80], [np.nan] * 3]
    np.testing.assert_allclose(image.get_array(), expected)
    assert "3 samples; all labels correct in 33.3 %" in words(page)
    _, counts = class_scores(np.array(target), np.array(labels))
    assert counts.tolist() == [[2, 1], [2, 3], [0, 0]]


@pytest.mark.parametrize("number", [2, 19])
def test_no_texts_of_the_scores_overlap(number: int):
    """Numbers would be unreadable."""
    draw = np.random.default_rng(0)
    target, labels = draw.integers(0, 2, (2, 9000, number))
    page = draw_label_scores(target, labels, [f"broad_leaved_forest_{i}" for i in range(number)])
    page.pixels()  # sets the limits of the page
    renderer = page.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in page.axes.texts if t.get_text()]
    for index, box in enumerate(boxes):
        assert 0 <= box.x0 < box.x1 <= page.width
        assert 0 <= box.y0 < box.y1 <= page.height
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_a_sample_without_a_map_is_not_drawn(save):
    """The first row of an array would be drawn as an image."""
    folder = save([0, 1], [0, 1])
    assert folder.find("s1") == "s1"
    for draw in (draw_saved, draw_all_labels):
        with pytest.raises(UserError, match="leave out SAMPLE_ID"):
            draw(folder, "s1")


def test_files_that_do_not_fit_are_named(save):
    """Labels of another test would be drawn."""
    folder = save([0, 1], [0, 1])
    np.save(folder.path / "preds.npy", np.zeros(3, np.int16))
    with pytest.raises(DataError, match=r"target \(2,\), labels \(3,\).* do not fit; test again"):
        draw_all_labels(folder)
    with pytest.raises(DataError, match="has the class 7, but 3 probabilities"):
        draw_all_labels(save([0, 7], [0, 1]))
    (folder.path / "preds.npy").write_bytes(b"x")
    with pytest.raises(DataError, match=r"preds\.npy is not an array of numbers"):
        draw_all_labels(folder)
