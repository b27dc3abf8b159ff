"""Resampling by matrices."""

import numpy as np
import pytest
from skimage.transform import resize

from openstl_ext.datasets.sensors.resampling import resampled, weights


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize(
    ("size", "new"), [((64, 64), (224, 224)), ((61, 40), (32, 48)), ((1, 7), (4, 3))]
)
def test_a_whole_image_has_the_numbers_of_scikit_image(
    order: int, size: tuple[int, int], new: tuple[int, int]
) -> None:
    """Features of released weights would differ from the published ones."""
    image = np.random.default_rng(0).standard_normal((3, *size)).astype(np.float32)
    shrinks = size[0] > new[0] or size[1] > new[1]
    expected = [
        resize(band, new, order=order, preserve_range=True, anti_aliasing=shrinks) for band in image
    ]
    down, across = ((0, n, m) for n, m in zip(size, new, strict=True))
    found = resampled(image, down, across, order=order)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=5e-6)


def test_weights_have_no_denormal_numbers() -> None:
    """One product would take fifty times as long on a processor."""
    stored = np.abs(weights(300, 0, 300, 224, 3))
    assert stored[stored > 0].min() > np.finfo(np.float32).tiny
    np.testing.assert_allclose(weights(300, 0, 300, 224, 3).sum(axis=1), 1, rtol=1e-5)
