"""Principal components of embeddings as colours."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from openstl_ext.visualization.embedding_map import draw_embedding, pca_rgb
from openstl_ext.visualization.style import NO_DATA


def planes(size: tuple[int, int] = (9, 11), depth: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return features of three known components with falling variance, and the components."""
    draw = np.random.default_rng(0)
    basis = np.linalg.qr(draw.normal(size=(depth, depth)))[0][:3]
    values = draw.normal(size=(*size, 3))
    flat = np.linalg.qr(values.reshape(-1, 3) - values.reshape(-1, 3).mean(axis=0))[0]
    scores = flat.reshape(*size, 3) * (10, 3, 1)
    return (scores @ basis + draw.normal(size=depth)).astype("float32"), scores


def test_colours_are_the_components_in_falling_variance():
    """The most important difference between places would be invisible."""
    features, scores = planes()
    (colors,), shares = pca_rgb([features])
    np.testing.assert_allclose(shares, np.array([100, 9, 1]) / 110, rtol=1e-4)
    for component in range(3):
        values = scores[..., component]
        low, high = np.percentile(values, (2, 98))
        rising = np.clip((values - low) / (high - low), 0, 1)
        low, high = np.percentile(-values, (2, 98))
        falling = np.clip((-values - low) / (high - low), 0, 1)
        away = [np.abs(colors[..., component] - x).max() for x in (rising, falling)]
        assert min(away) < 1e-3


def test_colours_do_not_depend_on_the_order_of_places_or_on_scale():
    """Two maps of the same features would have exchanged colours."""
    features, _ = planes()
    (colors,), _ = pca_rgb([features])
    (turned,), _ = pca_rgb([features[::-1, ::-1]])
    np.testing.assert_allclose(turned[::-1, ::-1], colors, atol=1e-4)
    (scaled,), _ = pca_rgb([7 * features + 3])
    np.testing.assert_allclose(scaled, colors, atol=1e-4)


def test_maps_of_one_call_share_their_components():
    """Equal places of two images would have different colours."""
    features, _ = planes()
    (whole,), _ = pca_rgb([features])
    (upper, lower), _ = pca_rgb([features[:4], features[4:]])
    np.testing.assert_array_equal(np.concatenate([upper, lower]), whole)


def test_places_without_features_have_no_colour():
    """NaN at one place would remove all colours."""
    features, _ = planes()
    features[0, 0, 2] = np.nan
    (colors,), _ = pca_rgb([features])
    assert np.isnan(colors[0, 0]).all()
    assert np.isfinite(colors).sum() == 3 * (9 * 11 - 1)
    with pytest.raises(ValueError, match="no place has finite features"):
        pca_rgb([np.full((2, 2, 4), np.nan, "float32")])


def test_features_of_fewer_dimensions_are_drawn():
    """Two features would be an error, and equal features a division by zero."""
    features, _ = planes()
    (colors,), shares = pca_rgb([features[..., :2]])
    assert len(shares) == 2
    assert (colors[..., 2] == 0.5).all()
    (colors,), shares = pca_rgb([np.ones((3, 3, 5), "float32")])
    assert shares == []
    assert (colors == 0.5).all()


def test_the_figure_shows_image_and_colours():
    """The colours could not be assigned to places."""
    features, _ = planes()
    features[0, 0] = np.nan
    image = np.random.default_rng(1).uniform(size=(72, 88, 3)).astype("float32")
    page = draw_embedding(image, features, title="smarties/vit_s")
    left, right = (np.asarray(x.get_array()) for x in page.axes.images)
    np.testing.assert_array_equal(left, image)
    (colors,), _ = pca_rgb([features])
    np.testing.assert_allclose(right[1:], colors[1:])
    np.testing.assert_allclose(right[0, 0], to_rgb(NO_DATA))
    texts = [t.get_text() for t in page.axes.texts]
    assert {"features of 9 x 11 patches", "no data"} <= set(texts)
    assert page.png() == draw_embedding(image, features, title="smarties/vit_s").png()


def test_shares_of_components_are_those_of_all_features():
    """Three components would seem to explain all of the variance."""
    features, _ = planes()
    image = np.zeros((9, 11, 3), "float32")
    page = draw_embedding(image, features[..., :3], shares=[0.5, 0.25, 0.1])
    texts = [t.get_text() for t in page.axes.texts]
    assert any("50 % + 25 % + 10 % of the variance" in text for text in texts)
    assert "no data" not in texts
    same = draw_embedding(image, np.ones((3, 3, 5), "float32"))
    assert "All patches have equal features" in [t.get_text() for t in same.axes.texts]
