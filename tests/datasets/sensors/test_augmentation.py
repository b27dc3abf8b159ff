"""Flips, turns and crops of several images of one footprint."""

import numpy as np
import pytest
import torch

from openstl_ext.datasets.sensors.augmentation import (
    Box,
    cropped,
    cropped_at_random,
    draw_box,
    flipped_and_turned,
)
from openstl_ext.datasets.sensors.images import resized


def coordinates(height: int, width: int) -> np.ndarray:
    """Return an image whose values are the relative place of each pixel, from 0 to 1."""
    rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    return np.stack(np.broadcast_arrays(rows[:, None], columns)).astype(np.float32)


@pytest.mark.parametrize("size", [16, 40])
@pytest.mark.parametrize("shape", [(24, 24), (17, 33), (40, 16)])
def test_the_whole_image_is_resampled_as_by_scikit_image(shape: tuple[int, int], size: int) -> None:
    """Images of training and evaluation would differ in sharpness or by a part of a pixel."""
    image = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    np.testing.assert_allclose(cropped(image, Box(), size), resized(image, size), atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_a_paired_crop_covers_the_same_footprint(seed: int) -> None:
    """The net would learn to fill in the content of another place."""
    torch.manual_seed(seed)
    fine, coarse = cropped_at_random([coordinates(96, 96), coordinates(20, 36)], 16)
    torch.manual_seed(seed)
    box = draw_box()
    inner = (np.arange(16) + 0.5) / 16 * box.side
    for image in (fine, coarse):
        for values, start in ((image[0, :, 8], box.top), (image[1, 8], box.left)):
            known = inner + start
            within = (known > 0.15) & (known < 0.85)  # mirrored coordinates beyond the edge
            np.testing.assert_allclose(values[within], known[within], atol=0.002)


def test_the_share_of_the_area_is_uniform_and_the_part_lies_inside() -> None:
    """Objects would be larger or smaller than with the published crops."""
    torch.manual_seed(0)
    boxes = [draw_box() for _ in range(2000)]
    areas = np.array([box.side**2 for box in boxes])
    quantiles = np.quantile(areas, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(quantiles, np.linspace(0.25, 1, 5), atol=0.03)
    assert all(min(box.top, box.left) >= 0 for box in boxes)
    assert all(max(box.top, box.left) + box.side <= 1 for box in boxes)


def test_the_labels_of_a_crop_are_those_of_its_pixels() -> None:
    """The net would be trained on the classes of neighbours, or on classes between two."""
    labels = np.repeat(np.repeat(np.array([[3, 7], [0, 255]]), 8, axis=0), 8, axis=1)
    image = np.stack([labels == 3, labels == 255]).astype(np.float32)
    torch.manual_seed(3)
    part, classes = cropped_at_random([image, labels], 32)
    assert classes.dtype == labels.dtype
    assert set(np.unique(classes)) <= {0, 3, 7, 255}
    for plane, label in zip(part, (3, 255), strict=True):
        assert ((plane > 0.5) == (classes == label)).mean() > 0.98


def test_all_images_are_flipped_and_turned_alike() -> None:
    """Pixels of two sensors would not be at the same place."""
    seen = set()
    for seed in range(60):
        torch.manual_seed(seed)
        fine, coarse, labels = flipped_and_turned(
            [coordinates(12, 12), coordinates(4, 4), np.arange(16).reshape(4, 4)]
        )
        np.testing.assert_allclose(fine.reshape(2, 4, 3, 4, 3).mean(axis=(2, 4)), coarse, atol=1e-6)
        np.testing.assert_allclose(np.floor(coarse[0] * 4) * 4 + np.floor(coarse[1] * 4), labels)
        seen.add(tuple(labels[[0, 0, -1], [0, -1, 0]]))
    assert len(seen) == 8


def test_an_image_that_is_not_square_may_exchange_its_sides() -> None:
    """Half of the turns would fail."""
    shapes = set()
    for seed in range(20):
        torch.manual_seed(seed)
        shapes |= {image.shape for image in flipped_and_turned([np.zeros((2, 3, 5))])}
    assert shapes == {(2, 3, 5), (2, 5, 3)}


def test_the_same_seed_gives_the_same_crop() -> None:
    """A resumed run would train on other images."""
    image = coordinates(9, 9)
    results = []
    for _ in range(2):
        torch.manual_seed(1)
        results.append(flipped_and_turned(cropped_at_random([image], 8))[0])
    np.testing.assert_array_equal(*results)
