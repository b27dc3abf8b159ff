"""Figures of label maps."""

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from openstl_ext.errors import DataError, UserError
from openstl_ext.visualization import style
from openstl_ext.visualization.drawing import draw_all_labels, draw_saved
from openstl_ext.visualization.error_map import ErrorMap, class_color
from openstl_ext.visualization.label_maps import label_maps
from openstl_ext.visualization.rgb_composite import rgb_composites
from openstl_ext.visualization.saved import SavedFolder, SavedLabels
from openstl_ext.visualization.segmentation import Layout, draw_segmentation, shown_steps
from openstl_ext.visualization.style import NO_DATA

NAMES = ("FOUND", "FALSE_ALARM", "MISSED", "UNKNOWN")
ABOUT: dict[str, Any] = {
    "kind": "labels",
    "classes": ["background", "site"],
    "channels": ["blue", "green", "red", "nir"],
    "years": [2010, 2011, 2013, 2014, 2015],
    "config": "lts/net",
}


def sample(*, classes: int = 2, bands: int = 4, steps: int = 5, size: tuple[int, int] = (6, 8)):
    draw = np.random.default_rng(0)
    target, labels = draw.integers(0, classes, (2, *size))
    probability = draw.dirichlet(np.ones(classes), size).transpose(2, 0, 1).astype("float32")
    inputs = draw.uniform(0, 1, (steps, bands, *size)).astype("float32")
    return SavedLabels("r0_c0", inputs, target, labels, probability)


def words(page) -> list[str]:
    return [text.get_text() for text in page.axes.texts]


def panels(page) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for image in page.axes.images]


def test_images_are_above_target_prediction_and_probability():
    """A panel would have the name of another."""
    found = sample()
    page = draw_segmentation(found, ABOUT)
    texts = words(page)
    for name in ("2010", "2013", "2015", "target", "prediction", "probability of site", "lts/net"):
        assert texts.count(name) == 1
    assert "2011" not in texts
    assert len(panels(page)) == 6
    np.testing.assert_array_equal(panels(page)[5], found.probability[1])
    assert (page.axes.images[5].norm.vmin, page.axes.images[5].norm.vmax) == (0, 1)
    images, shown = rgb_composites(found.inputs, ABOUT["channels"])
    assert shown == ["red", "green", "blue"]
    for panel, step in zip(panels(page), (0, 2, 4), strict=False):
        np.testing.assert_array_equal(panel, images[step])


def test_all_years_share_one_stretch():
    """A change of brightness between years would be invisible."""
    frames = np.zeros((3, 1, 10, 10), dtype="float32")
    frames += np.linspace(0, 1, 100, dtype="float32").reshape(10, 10)
    frames[2] += 1
    images, shown = rgb_composites(frames, ["nir"])
    assert shown == ["nir"]
    low, high = np.percentile(frames, (2, 98))
    expected = np.clip((frames[:, 0] - low) / (high - low), 0, 1)
    np.testing.assert_allclose(images[..., 0], expected, rtol=1e-5)
    assert images[2].mean() > images[0].mean() + 0.4


@pytest.mark.parametrize(
    ("names", "natural"),
    [
        (("B02", "B03", "B04", "B8A"), ["B04", "B03", "B02"]),
        (("SR_B1", "SR_B2", "SR_B3", "SR_B4"), ["SR_B4", "SR_B3", "SR_B2"]),
        (("blue", "green", "red", "nir"), ["red", "green", "blue"]),
        (("violet", "yellow", "red", "nir"), ["violet", "yellow", "red"]),
    ],
)
def test_natural_colours_are_found_by_the_names_of_products(names, natural):
    """Water and woods would be red, as blue is the first band of Sentinel-2."""
    frames = np.random.default_rng(0).random((1, 4, 6, 6), dtype="float32")
    images, shown = rgb_composites(frames, names)
    assert shown == natural
    expected, _ = rgb_composites(frames, names, natural)
    np.testing.assert_array_equal(images, expected)


def test_bands_are_picked_by_name_or_number():
    """Features of the infrared could not be shown."""
    found = sample()
    images, shown = rgb_composites(found.inputs, ABOUT["channels"], ["nir", "2", "green"])
    assert shown == ["nir", "red", "green"]
    others, _ = rgb_composites(found.inputs, ABOUT["channels"])
    np.testing.assert_array_equal(images[..., 1], others[..., 0])
    with pytest.raises(UserError, match="did you mean 'nir'"):
        rgb_composites(found.inputs, ABOUT["channels"], ["nirr", "red", "green"])
    with pytest.raises(UserError, match="three bands, or one for grey, got 2"):
        rgb_composites(found.inputs, ABOUT["channels"], ["nir", "red"])


def test_each_pixel_has_one_colour_and_the_legend_counts_them():
    """The counts of hits, false alarms, misses and unknown pixels would be wrong."""
    target = np.array([[1, 1, 1, 0, 0, -1]] * 2)
    labels = np.array([[1, 1, 0, 1, 0, 1]] * 2)
    probability = np.stack([1.0 - labels, labels]).astype("float32")
    found = SavedLabels("s", np.full((1, 1, 2, 6), 0.5, "float32"), target, labels, probability)
    texts = words(draw_segmentation(found, {"classes": ["background", "site"]}))
    assert {
        "true positive: 4 px",
        "false positive: 2 px",
        "missed: 2 px",
        "target unknown: 2 px",
        "Dice 0.667",
    } <= set(texts)
    errors = ErrorMap.of(target, labels, 1)
    fields = (errors.found, errors.false_alarm, errors.missed, errors.unknown)
    assert np.sum(fields, axis=0).max() == 1
    nearest = [[closest(color) for color in row] for row in panels(draw_segmentation(found, {}))[2]]
    assert nearest[0][:4] == ["FOUND", "FOUND", "MISSED", "FALSE_ALARM"]
    assert nearest[0][5] == "UNKNOWN"


def closest(color: np.ndarray) -> str:
    away = [np.abs(np.array(to_rgb(getattr(style, name))) - color).sum() for name in NAMES]
    return NAMES[int(np.argmin(away))]


def test_a_map_without_the_class_has_no_score():
    """A Dice of 0 or 1 would be shown where it is not defined."""
    found = sample()
    found.target[...] = found.labels[...] = 0
    texts = words(draw_segmentation(found, ABOUT))
    assert "true positive: 0 px" in texts
    assert not [text for text in texts if text.startswith("Dice") or "unknown" in text]
    assert np.isnan(ErrorMap.of(found.target, found.labels, 1).dice)


@pytest.mark.parametrize("vision", ["normal", "protan", "deutan", "tritan"])
def test_the_colours_are_distinct_for_colour_blind_readers(vision: str):
    """One man in twelve confuses red and green, and would not see misses."""
    # Machado et al. 2009, severity 1
    seen = {
        "normal": np.eye(3),
        "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0519]],
        "deutan": [[0.3673, 0.8606, -0.2279], [0.2801, 0.6726, 0.0473], [-0.0118, 0.0429, 0.9689]],
        "tritan": [
            [1.2555, -0.0767, -0.1788],
            [-0.0784, 0.9308, 0.1476],
            [0.0047, 0.6914, 0.3039],
        ],
    }[vision]
    colors = (*(getattr(style, name) for name in NAMES), "#c0c0c0")
    labs = [lab(np.clip(np.asarray(seen) @ linear(color), 0, 1)) for color in colors]
    for one, other in combinations(labs, 2):
        assert np.linalg.norm(one - other) > 20


def linear(color: str) -> np.ndarray:
    channel = np.array(to_rgb(color))
    return np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Convert to CIELAB under D65, where a distance of 2 is just visible."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.asarray(to_xyz) @ rgb / (0.9505, 1, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_many_classes_have_colours_and_names():
    """Confusions between classes would be invisible."""
    found, names = sample(classes=6, size=(30, 40)), ["sea", "lake", "wood", "road", "town", "site"]
    found.target[:2] = -1
    page = draw_segmentation(found, {"classes": names})
    texts = words(page)
    for index, name in enumerate(names):
        observed, predicted = (
            ((m == index) & (found.target >= 0)).sum() for m in (found.target, found.labels)
        )
        assert f"{name}: {observed} px, predicted {predicted}" in texts
    assert "probability of the prediction" in texts
    np.testing.assert_array_equal(panels(page)[-1], found.probability.max(axis=0))
    colors = [class_color(i) for i in range(16)]
    assert len(set(colors)) == 16
    assert style.UNKNOWN not in colors


def test_one_class_of_many_can_be_drawn_against_the_rest():
    """The errors of one class would be hard to see among all classes."""
    found = sample(classes=3)
    image = rgb_composites(found.inputs, "abcd")[0][-1]
    names = ["sea", "wood", "road"]
    for word in ("road", "2"):
        maps = label_maps(found, image, names, word)
        assert maps.probability_of == "road"
        np.testing.assert_array_equal(maps.probability, found.probability[2])
    with pytest.raises(UserError, match="did you mean 'road'"):
        label_maps(found, image, names, "raod")


def test_missing_pixels_have_their_own_colour():
    """A missing pixel in black would look like water."""
    found = sample()
    assert "no data" not in words(draw_segmentation(found, ABOUT))
    found.inputs[:, 2, :2] = np.nan  # one band is enough
    page = draw_segmentation(found, ABOUT)
    assert "no data" in words(page)
    for panel in panels(page)[:3]:
        np.testing.assert_allclose(panel[:2], np.broadcast_to(to_rgb(NO_DATA), (2, 8, 3)))
        assert not (np.abs(panel[2:] - to_rgb(NO_DATA)).sum(axis=-1) < 1e-6).any()


@pytest.mark.parametrize(
    ("steps", "bands", "size", "classes"),
    [(1, 1, (5, 9), 2), (2, 2, (40, 4), 3), (34, 7, (64, 64), 2), (3, 3, (700, 600), 12)],
)
def test_any_series_and_size_is_drawn_and_no_texts_overlap(steps, bands, size, classes):
    """Labels would be unreadable."""
    found = sample(classes=classes, bands=bands, steps=steps, size=size)
    found.target[:1], found.inputs[:, :, 0, 0] = -1, np.nan
    page = draw_segmentation(found, {"config": "lts/small/st_mamba_broadcast"})
    assert len(panels(page)) == len(shown_steps(steps)) + 3
    assert page.png() == draw_segmentation(found, {"config": "lts/small/st_mamba_broadcast"}).png()
    renderer = page.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in page.axes.texts if t.get_text()]
    for index, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= page.width
        assert box.y0 >= 0
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_panels_are_aligned_in_columns_and_rows():
    """Panels of a column would be shifted."""
    layout = Layout((320, 200))
    boxes = [[layout.box(row, column) for column in range(3)] for row in range(2)]
    for above, below in zip(*boxes, strict=True):
        assert above[0] == below[0]
        assert above[1] + above[3] < layout.note < below[1]
    assert boxes[1][2][0] + 320 == layout.right < layout.width


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., SavedFolder]:
    """Write a sample as a test run saves it; returns the folder."""

    def write(found: SavedLabels) -> SavedFolder:
        (tmp_path / "saved").mkdir()
        (tmp_path / "saved/about.json").write_text(json.dumps(ABOUT))
        series = {
            "inputs": found.inputs,
            "trues": found.target[None].astype(np.int16),
            "preds": found.labels[None].astype(np.int16),
            "probs": found.probability,
        }
        for kind, arrays in series.items():
            folder = tmp_path / "saved" / kind / found.name
            folder.mkdir(parents=True)
            for number, array in enumerate(arrays):
                np.save(folder / f"{number}.npy", array)
        return SavedFolder(tmp_path)

    return write


def test_a_saved_map_is_read_unchanged(saved):
    """An unknown pixel (-1) would count as a class."""
    found = sample()
    found.target[0] = -1
    read = saved(found).load_labels("r0_c0")
    for name in ("inputs", "target", "labels", "probability"):
        np.testing.assert_array_equal(getattr(read, name), getattr(found, name))


def test_labels_and_frames_are_drawn_differently(saved):
    """Class indices would be drawn as values."""
    folder = saved(sample())
    assert "probability of site" in words(draw_saved(folder, "r0", rgb=["nir", "red", "green"]))
    assert "probability of background" in words(draw_saved(folder, "r0", interest="background"))


def test_the_pixels_of_all_maps_are_drawn_as_a_confusion_matrix(saved):
    """Confusions of classes would be visible map by map only."""
    found = sample()
    found.target[0] = -1
    known = found.target >= 0
    counts = [
        ((found.target == row) & (found.labels == column) & known).sum()
        for row in (0, 1)
        for column in (0, 1)
    ]
    folder = saved(found)
    for name in (None, "r0"):
        page = draw_all_labels(folder, name)
        texts = words(page)
        assert {"lts/net", "background", "site", *(f"{number}" for number in counts)} <= set(texts)
        assert any(text.startswith(f"{known.sum()} pixels; overall") for text in texts)


def test_files_that_do_not_fit_are_named(saved):
    """The probability of another patch would be drawn."""
    folder = saved(sample())
    np.save(folder.path / "probs/r0_c0/0.npy", np.zeros((3, 3), "float32"))
    np.save(folder.path / "probs/r0_c0/1.npy", np.zeros((3, 3), "float32"))
    with pytest.raises(DataError, match=r"probability \(2, 1, 3, 3\) of sample r0_c0 do not fit"):
        folder.load_labels("r0_c0")
