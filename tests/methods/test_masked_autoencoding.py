"""Masked autoencoding: masks, exchange of tokens, targets and loss."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import MaskedAutoencoder, MixingAutoencoder
from openstl_ext.methods.masked_autoencoding import MaskedAutoencoding, standardised
from openstl_ext.structures import Inputs
from tests.toy_net import toy_net

NOISE = torch.rand(3, 16, generator=torch.Generator().manual_seed(0))


class Constant(nn.Module):
    """Net that predicts the same value everywhere."""

    interface = MixingAutoencoder
    patch_size = 2

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.value = value

    def forward(
        self, frames: Tensor, bands: Tensor | None, mask: Tensor, source: Tensor | None = None
    ) -> Tensor:
        del bands, source
        values = frames.shape[1] * frames.shape[2] * 4
        return torch.full((*mask.shape, values), self.value)

    def decode(
        self,
        frames: Tensor,
        bands: Tensor | None,
        mask: Tensor,
        source: Tensor,
        wanted: Tensor,
    ) -> Tensor:
        del frames, bands, mask
        return torch.zeros(*source.shape[:2], wanted.shape[1], 1)

    def band_values(self, tokens: Tensor, bands: Sequence[int]) -> Tensor:
        return torch.full((len(tokens), 4 * len(bands)), self.value)


class Plain(Constant):
    """The same, without an exchange of tokens."""

    interface = MaskedAutoencoder


def method(net: Any = None, **arguments: Any) -> MaskedAutoencoding:
    return MaskedAutoencoding(net=net or Constant(), **arguments)


@pytest.mark.parametrize(("ratio", "hidden"), [(0.75, 12), (0.5, 8), (0.1, 2)])
def test_the_mask_ratio_acts(ratio: float, hidden: int) -> None:
    """The published command line has an option without effect."""
    mask = method(mask_ratio=ratio).mask(NOISE)
    assert mask.sum(dim=1).tolist() == [hidden] * 3
    # the largest noise is hidden
    assert (NOISE.masked_fill(~mask, 2).amin(1) > NOISE.masked_fill(mask, -1).amax(1)).all()


def test_streams_exchange_half_of_their_tokens() -> None:
    """The second stream of the published code keeps all tokens of its sensor."""
    source = method().source(NOISE, 2)
    assert source is not None
    assert (source == 1).sum(dim=2).tolist() == [[8, 8]] * 3
    assert (source.sum(dim=1) == 1).all()  # each token is in one stream


def test_a_one_sided_exchange_is_that_of_the_published_code() -> None:
    """Released weights could not be trained further in the same way."""
    source = method(mixing="one_sided").source(NOISE, 2)
    assert source is not None
    assert (source == 1).sum(dim=2).tolist() == [[8, 16]] * 3


def test_the_share_of_exchanged_tokens_acts() -> None:
    """A sweep over the share would compare equal runs."""
    source = method(mixing_ratio=0.25).source(NOISE, 2)
    assert source is not None
    assert (source[:, 0] == 1).sum(dim=1).tolist() == [4] * 3
    assert method(mixing="none").source(NOISE, 2) is None
    assert method().source(NOISE, 1) is None


def test_three_sensors_pass_tokens_on() -> None:
    """A third sensor would lose tokens."""
    source = method().source(NOISE, 3)
    assert source is not None
    assert (source.sort(dim=1).values == torch.arange(3).view(1, 3, 1)).all()


def test_only_hidden_patches_count() -> None:
    """The net would be trained to copy what it sees."""
    frames = torch.zeros(1, 1, 1, 4, 4)
    frames[..., :2, :2] = 3.0
    mask = torch.tensor([[True, True, False, False]])
    for value, expected in ((0.0, 4.5), (3.0, 4.5), (1.0, 2.5)):
        terms = method(Constant(value), normalises_patches=False).terms(
            {"frames": frames}, mask, None
        )
        torch.testing.assert_close(terms["loss_hidden"], torch.tensor(expected))


def test_the_target_is_that_of_the_image_of_each_token() -> None:
    """An exchanged token would be compared with the patch of the other sensor."""
    frames = torch.stack([torch.zeros(1, 4, 4), torch.ones(1, 4, 4)])[None]
    mask = torch.tensor([[True, False, False, False]])
    source = torch.tensor([[[1, 0, 0, 0], [1, 1, 1, 1]]])
    terms = method(Constant(1.0), normalises_patches=False).terms({"frames": frames}, mask, source)
    assert terms["loss_hidden"].item() == pytest.approx(0, abs=1e-6)


def test_an_absent_band_does_not_count() -> None:
    """A sensor of three bands would have a smaller loss beside one of twelve."""
    frames = torch.randn(2, 1, 3, 4, 4)
    frames[:, :, 2] = 1e3
    bands = torch.tensor([[[0, 1, -1]]]).expand(2, 1, 3)
    mask = torch.tensor([[True, True, False, False]]).expand(2, 4)
    padded, plain = (
        method().terms(inputs, mask, None)["loss_hidden"]
        for inputs in (
            Inputs(frames=frames, bands=bands),
            Inputs(frames=frames[:, :, :2], bands=bands[:, :, :2]),
        )
    )
    torch.testing.assert_close(padded, plain)


def test_patches_are_standardised_over_all_bands() -> None:
    """Each band apart would lose the relation between bands."""
    values = torch.randn(5, 12, dtype=torch.float64)
    found = standardised(values)
    mean, variance = values.mean(-1, keepdim=True), values.var(-1, keepdim=True)
    torch.testing.assert_close(found, (values - mean) / (variance + 1e-6).sqrt())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask_ratio": 0.0}, "mask_ratio is 0.0"),
        ({"mask_ratio": 1.0}, "mask_ratio is 1.0"),
        ({"net": Plain()}, 'Plain cannot exchange tokens; set mixing="none"'),
    ],
)
def test_a_setting_without_effect_is_refused(arguments: dict[str, Any], message: str) -> None:
    """The run would be another one than its config states."""
    with pytest.raises(ConfigError, match=message):
        method(**arguments)


def test_masks_that_hide_all_or_nothing_are_refused() -> None:
    """The loss would be 0 without a word."""
    with pytest.raises(ShapeError, match="shows 0 of 16 patches"):
        method(mask_ratio=0.99).mask(NOISE)


def test_a_one_sided_exchange_of_three_images_is_refused() -> None:
    """It is defined for two."""
    with pytest.raises(ConfigError, match="for two images, the data have 3"):
        method(mixing="one_sided").source(NOISE, 3)


def test_reconstructions_of_sensors_with_absent_bands_are_zero_there() -> None:
    """A reconstruction panel would show values of bands that do not exist."""
    net = toy_net("SpectralAutoencoder").eval()
    frames, mask = torch.randn(2, 2, 3, 16, 16), torch.arange(16).expand(2, 16) % 2 > 0
    bands = torch.tensor([[[0, 1, 2], [3, -1, -1]], [[0, 1, 2], [3, -1, -1]]])
    with torch.no_grad():
        alone = net(frames[:, 1:, :1], bands[:, 1:, :1], mask).unflatten(2, (1, 1, 16))
        both = net(frames, bands, mask).unflatten(2, (2, 3, 16))
    torch.testing.assert_close(both[:, :, 1, :1], alone[:, :, 0])
    assert (both[:, :, 1, 1:] == 0).all()


def test_the_size_of_an_image_and_its_shape_are_free() -> None:
    """Pre-training on crops of another size would fail."""
    net = toy_net("SpectralAutoencoder").eval()
    frames, bands = torch.randn(1, 1, 2, 24, 8), torch.tensor([[[0, 3]]])
    assert net(frames, bands, torch.arange(12)[None] % 3 > 0).shape == (1, 12, 2 * 16)


def test_images_that_patches_do_not_fill_are_refused() -> None:
    """A traceback of torch would name neither the image nor the patch."""
    net = toy_net("SpectralAutoencoder")
    frames, bands = torch.randn(1, 1, 2, 18, 16), torch.tensor([[[0, 3]]])
    with pytest.raises(ShapeError, match="multiples of 4; got 18 x 16"):
        method(net).loss(Inputs(frames=frames, bands=bands), {})


def test_images_without_bands_are_refused() -> None:
    """All channels would pass through the projection of one band."""
    with pytest.raises(ShapeError, match="the inputs have no bands"):
        method(toy_net("SpectralAutoencoder")).loss(Inputs(frames=torch.randn(1, 1, 2, 16, 16)), {})
