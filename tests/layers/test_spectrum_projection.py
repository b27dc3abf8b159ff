"""The projection of spectral bands."""

import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.layers.spectrum_projection import SpectrumProjection


@pytest.fixture
def layer() -> SpectrumProjection:
    torch.manual_seed(0)
    return SpectrumProjection(16, 8, learned=3, mixing=[[0.25, 0.0, 0.75]], scale=2)


def plain(layer: SpectrumProjection, patches: Tensor, bands: Tensor) -> Tensor:
    """Return the tokens by the loop of the definition."""
    tokens = torch.zeros(*patches.shape[:2], 8)
    for b, c in ((b, c) for b in range(len(bands)) for c in range(bands.shape[1])):
        row = torch.eye(3).tolist() + layer.mixing
        for share, part in zip(row[int(bands[b, c])], layer.spectrum_embeds, strict=True):
            tokens[b] += layer.scale / bands.shape[1] * share * part.proj(patches[b, :, c])
    return tokens


@pytest.mark.parametrize("bands", [[[2, 3], [2, 3]], [[2, 3], [0, 2]], [[1, 1], [3, 3]]])
def test_tokens_and_gradients_equal_a_loop_over_bands(
    layer: SpectrumProjection, bands: list[list[int]]
) -> None:
    """The fast product would mix the bands of samples or channels."""
    patches = torch.randn(2, 5, 2, 16, requires_grad=True)
    parts = [patches, *layer.parameters()]
    results = [form(patches, torch.tensor(bands)) for form in (layer, lambda *a: plain(layer, *a))]
    torch.testing.assert_close(*results)
    ours, theirs = (torch.autograd.grad(r.sum(), parts, allow_unused=True) for r in results)
    for one, other in zip(ours, theirs, strict=True):
        expected = torch.zeros_like(other) if one is None and other is not None else other
        torch.testing.assert_close(expected if one is None else one, expected)


def test_a_band_that_no_sample_has_gets_no_gradient(layer: SpectrumProjection) -> None:
    """Weight decay and momentum would change projections of sensors that are not in the batch."""
    layer(torch.randn(1, 5, 1, 16), torch.tensor([[1]])).sum().backward()
    assert [part.proj.weight.grad is not None for part in layer.spectrum_embeds] == [0, 1, 0]


@pytest.mark.parametrize("other", [[0, 1, 2], [3, 0, -1]])
def test_an_absent_band_does_not_count(layer: SpectrumProjection, other: list[int]) -> None:
    """An index of -1 would select the last band, as in the published code."""
    patches = torch.randn(2, 5, 3, 16)
    tokens = layer(patches, torch.tensor([[2, 1, -1], other]))
    few = layer(patches[:1, :, :2], torch.tensor([[2, 1]]))
    torch.testing.assert_close(tokens[:1], few)


@pytest.mark.parametrize(
    ("index", "message"),
    [(4, "band 4: the net has the projections 0 to 3"), (-1, "an image has no band")],
)
def test_a_band_without_projection_is_refused(
    layer: SpectrumProjection, index: int, message: str
) -> None:
    """Another projection would be used, or none."""
    with pytest.raises(ShapeError, match=message):
        layer(torch.randn(1, 5, 1, 16), torch.tensor([[index]]))


def test_wrong_shapes_are_refused(layer: SpectrumProjection) -> None:
    """A band could be broadcast to all channels."""
    with pytest.raises(ShapeError, match="bands"):
        layer(torch.randn(1, 5, 2, 16), torch.tensor([[1]]))
    with pytest.raises(ConfigError, match="each needs 2 weights"):
        SpectrumProjection(16, 8, learned=2, mixing=[[1.0]])


@pytest.mark.parametrize("bands", [[[0, 1, 2]] * 2, [[0, 1, 2], [2, 1, 0]]], ids=["one", "several"])
def test_accumulated_gradients_are_the_sum_of_both(
    layer: SpectrumProjection, bands: list[list[int]]
) -> None:
    """The biases of all bands of a sensor would share one gradient, and each be added to it."""
    parameters = list(layer.parameters())
    batches = torch.rand(2, 2, 4, 3, layer.patch_values).unbind()
    losses = [layer(batch, torch.tensor(bands)).square().sum() for batch in batches]
    wanted = torch.autograd.grad(sum(losses), parameters, retain_graph=True, allow_unused=True)
    for loss in losses:
        loss.backward()
    for parameter, gradient in zip(parameters, wanted, strict=True):
        if gradient is not None:
            torch.testing.assert_close(parameter.grad, gradient)
