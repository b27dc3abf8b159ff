"""Nets for images of any sensors: segmentation heads and the baseline of band means."""

import pytest
import torch

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.models.band_means import BandMeans
from openstl_ext.models.spectral_autoencoder import SpectralAutoencoder
from openstl_ext.models.spectral_segmenter import SpectralSegmenter
from openstl_ext.models.spectral_vit import SpectralViT

VIT = {**SpectralViT.toy_arguments(), "depth": 4}


def segmenter(**arguments: object) -> SpectralSegmenter:
    return SpectralSegmenter(encoder=VIT, num_classes=3, **arguments)  # type: ignore[arg-type]


def test_upernet_has_the_published_size() -> None:
    """Scores of UPerNet probes would not compare with those of PANGAEA."""
    with torch.device("meta"):
        net = SpectralSegmenter(encoder={"depth": 4}, num_classes=2, head="upernet")
    parameters = {k: p for k, p in net.named_parameters() if not k.startswith("encoder.")}
    assert sum(p.numel() for p in parameters.values()) == 39_344_898


def test_upernet_takes_the_published_blocks() -> None:
    """Features of other depths would be probed."""
    with torch.device("meta"):
        depths = [
            SpectralSegmenter(encoder={"depth": depth}, num_classes=2).taps for depth in (12, 24)
        ]
    assert depths == [(4, 6, 8, 12), (8, 12, 16, 24)]


@pytest.mark.parametrize("head", ["linear", "upernet"])
def test_a_frozen_encoder_gets_no_gradient_and_stays_in_evaluation(head: str) -> None:
    """A probe would train its encoder."""
    net = segmenter(head=head, frozen=True, channels=8).train()
    logits = net(torch.randn(2, 1, 2, 16, 16), torch.tensor([[[0, 3]]]).expand(2, 1, 2))
    logits.square().mean().backward()
    assert logits.shape == (2, 3, 16, 16)
    assert not any(module.training for module in net.encoder.modules())
    assert all(p.grad is None for p in net.encoder.parameters())
    assert all(p.grad is not None for p in net.head.parameters())


def test_logits_have_the_size_of_the_labels() -> None:
    """Labels of 96 pixels could not be compared with images of 224."""
    net = segmenter(label_size=6).eval()
    assert net(torch.randn(1, 1, 1, 16, 16), torch.tensor([[[1]]])).shape == (1, 3, 6, 6)


def test_dates_are_merged_by_learned_weights() -> None:
    """One date would decide alone, or the order of the dates would be lost."""
    net = segmenter(num_images=2).eval()
    frames, bands = torch.randn(1, 2, 1, 16, 16), torch.tensor([[[1], [1]]])
    with torch.no_grad():
        even = net(frames, bands)
        torch.testing.assert_close(net(frames.flip(1), bands), even)
        assert net.image_weights is not None
        net.image_weights.copy_(torch.tensor([1.0, 0.0]))
        first = net(frames, bands)
        repeated = net(frames[:, [0, 0]], bands)
    torch.testing.assert_close(first, repeated)
    assert not torch.allclose(first, even)


def test_what_does_not_fit_is_refused() -> None:
    """An error would come from deep inside, or not at all."""
    with pytest.raises(ConfigError, match=r"taps=\[1, 2, 3, 3\] must be four blocks"):
        segmenter(taps=(1, 2, 3, 3))
    with pytest.raises(ShapeError, match="has 2 images, but num_images=1"):
        segmenter()(torch.randn(1, 2, 1, 16, 16), torch.zeros(1, 2, 1).long())
    with pytest.raises(ShapeError, match="the inputs have no bands"):
        segmenter()(torch.randn(1, 1, 1, 16, 16))


def test_a_normed_mean_has_the_weights_of_a_pre_training() -> None:
    """A frozen encoder would be evaluated behind a norm that nobody trained."""
    torch.manual_seed(0)
    pretrained = SpectralAutoencoder(
        encoder={**VIT, "pooling": "normed_mean"}, decoder_channels=16, decoder_num_heads=2
    )
    net = SpectralViT(**VIT, pooling="normed_mean").eval()
    net.load_state_dict(pretrained.encoder.state_dict())
    image, bands = torch.randn(2, 2, 16, 16), torch.tensor([[0, 3]] * 2)
    with torch.no_grad():
        found = net(image[:, None], bands[:, None])
        patches = net.patch_features(image, bands)
    torch.testing.assert_close(found, patches.mean(dim=(2, 3)))
    with pytest.raises(ConfigError, match="a norm that a masked autoencoder does not train"):
        SpectralAutoencoder(encoder={**VIT, "pooling": "mean"})


def test_band_means_are_at_the_place_of_their_band() -> None:
    """The baseline would confuse sensors."""
    frames = torch.stack([torch.full((4, 4), 2.0), torch.full((4, 4), 5.0)])[None, None]
    features = BandMeans(num_bands=4)(frames, torch.tensor([[[3, 1]]]))
    assert features.tolist() == [[0, 5, 0, 2]]
    absent = BandMeans(num_bands=4)(frames, torch.tensor([[[3, -1]]]))
    assert absent.tolist() == [[0, 0, 0, 2]]
    with pytest.raises(ShapeError, match="set num_bands=5"):
        BandMeans(num_bands=4)(frames, torch.tensor([[[4, 1]]]))
