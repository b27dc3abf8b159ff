"""The encoder of images with any bands."""

import pytest
import torch

from openstl_ext.errors import ShapeError
from openstl_ext.layers.spectral_encoder import SpectralEncoder


def encoder(**changes: object) -> SpectralEncoder:
    torch.manual_seed(0)
    arguments = {"image_size": 16, "patch_size": 4, "channels": 8, "depth": 2, "num_heads": 2}
    return SpectralEncoder(**{**arguments, "learned": 3, **changes}).eval()


@pytest.mark.parametrize(
    ("channels", "depth", "num_heads", "published"),
    [(768, 12, 12, 88_563_456), (1024, 24, 16, 306_988_032)],
)
def test_the_published_sizes_are_met(
    channels: int, depth: int, num_heads: int, published: int
) -> None:
    """Released weights could not be loaded."""
    with torch.device("meta"):
        net = SpectralEncoder(channels=channels, depth=depth, num_heads=num_heads)
    assert sum(p.numel() for p in net.parameters()) == published
    trained = sum(p.numel() for p in net.parameters() if p.requires_grad)
    assert trained == published - 197 * channels


@pytest.mark.parametrize(("height", "width"), [(16, 16), (8, 24), (32, 32)])
@pytest.mark.parametrize("bands", [[0], [2, 1], [0, 1, 2, 2, 1]])
def test_any_size_and_any_bands_are_encoded(height: int, width: int, bands: list[int]) -> None:
    """A sensor with other bands or another resolution could not be used."""
    frames = torch.randn(2, len(bands), height, width)
    tokens = encoder()(frames, torch.tensor([bands, bands]))
    assert tokens.shape == (2, 1 + height * width // 16, 8)
    assert tokens.isfinite().all()


def test_the_order_of_bands_does_not_matter() -> None:
    """A file with another order of bands would have other features."""
    frames = torch.randn(1, 3, 16, 16)
    net = encoder()
    there = net(frames, torch.tensor([[0, 1, 2]]))
    torch.testing.assert_close(net(frames.flip(1), torch.tensor([[2, 1, 0]])), there)


def test_a_size_that_is_no_multiple_of_the_patch_is_refused() -> None:
    """The last rows would be cut off without a word."""
    with pytest.raises(ShapeError, match="multiples of 4; got 18 x 16"):
        encoder()(torch.randn(1, 1, 18, 16), torch.tensor([[0]]))


def test_drop_path_grows_with_the_depth() -> None:
    """The rate of a recipe would have no effect, as in the published code."""
    net = encoder(depth=3, drop_path_prob=0.2)
    assert [block.drop_path.prob for block in net.blocks] == pytest.approx([0, 0.1, 0.2])
