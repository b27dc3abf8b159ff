"""Contract of every registered net."""

import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.interfaces import (
    TOY_SHAPE,
    ConditionalDenoiser,
    CovariateModel,
    DenseModel,
    EncoderModel,
    FrameModel,
    MaskedAutoencoder,
    RecurrentModel,
    SpectralDenseModel,
    TimedFrameModel,
    provides,
)
from openstl_ext.methods.base import Method
from openstl_ext.registry import METHODS, MODELS
from tests.toy_net import toy_net

METHODS.import_from_location()
MODELS.import_from_location()
NETS = {
    name: cls
    for name, cls in sorted(MODELS.module_dict.items())
    if cls.__module__.startswith("openstl_ext.")
}
LENGTH, CHANNELS, HEIGHT, WIDTH = TOY_SHAPE


def run(net: Any, seed: int) -> list[Tensor]:
    """Call a net through its interface on a random batch of two; return its tensors."""
    generator = torch.Generator().manual_seed(seed)

    def field(*shape: int) -> Tensor:
        return torch.rand(2, *shape, HEIGHT, WIDTH, generator=generator)

    frames = field(LENGTH, CHANNELS)
    if provides(net, RecurrentModel):
        frame, state = net(frames[:, 0], None)
        return [frame, net(frames[:, 1], state)[0]]
    if provides(net, CovariateModel):
        covariates = {"dynamic": field(LENGTH, 2), "static": field(1), "lonlat": field(2)}
        return [output for output in net(frames, **covariates) if output is not None]
    bands = torch.arange(LENGTH).view(1, LENGTH, 1).expand(2, LENGTH, CHANNELS)
    if provides(net, MaskedAutoencoder):
        number = (HEIGHT // net.patch_size) * (WIDTH // net.patch_size)
        return [net(frames, bands, (torch.arange(number) % 2 > 0).expand(2, number))]
    if provides(net, EncoderModel) or provides(net, SpectralDenseModel):
        return [net(frames, bands)]
    if provides(net, ConditionalDenoiser):
        with torch.no_grad():  # its first output is 0, whatever its inputs are
            for weight in net.parameters():
                if not weight.any():
                    weight.fill_(0.1)
        return [net(field(LENGTH, CHANNELS), torch.tensor([0.3, 0.7]), frames)]
    if provides(net, TimedFrameModel):
        return [net(frames, 3600 * torch.arange(LENGTH).expand(2, LENGTH))]
    return [net(frames)]


@pytest.mark.parametrize("name", NETS)
def test_toy_arguments_are_values_of_a_config(name: str) -> None:
    """A config could not contain the small net."""
    arguments = NETS[name].toy_arguments()
    json.dumps(arguments)
    assert type(MODELS.build({"type": name, **arguments})) is NETS[name]


@pytest.mark.parametrize("name", NETS)
def test_a_method_requires_the_interface_of_every_net(name: str) -> None:
    """No method could train or evaluate the net."""
    methods = [m for m in METHODS.module_dict.values() if issubclass(m, Method)]
    assert any(provides(NETS[name], method.interface) for method in methods)


@pytest.mark.parametrize("name", NETS)
def test_outputs_have_the_shape_of_the_interface(name: str) -> None:
    """A method would compare or chain frames of the wrong shape."""
    net = toy_net(NETS[name]).eval()
    for output in run(net, seed=0):
        assert output.shape[0] == 2
        if provides(NETS[name], MaskedAutoencoder):
            assert output[0].numel() == LENGTH * CHANNELS * HEIGHT * WIDTH
        elif provides(NETS[name], EncoderModel):
            assert output.ndim == 2
        else:
            assert output.shape[-2:] == (HEIGHT, WIDTH)
        if provides(NETS[name], FrameModel):
            assert output.shape[2:] == TOY_SHAPE[1:]
        if provides(NETS[name], RecurrentModel):
            assert output.shape[1:] == TOY_SHAPE[1:]
        if NETS[name].interface is DenseModel:
            assert output.ndim == 4
    if NETS[name].interface is CovariateModel:
        forecast, *quantiles = run(net, seed=0)
        assert forecast.ndim == 4
        assert all(q.shape[:1] + q.shape[2:] == forecast.shape for q in quantiles)


@pytest.mark.parametrize("name", NETS)
@torch.inference_mode()
def test_a_net_keeps_nothing_from_one_call_to_the_next(name: str) -> None:
    """A prediction would depend on the batches before it."""
    torch.manual_seed(0)
    net: nn.Module = toy_net(NETS[name]).eval()
    first = run(net, seed=0)
    run(net, seed=1)
    for before, after in zip(first, run(net, seed=0), strict=True):
        torch.testing.assert_close(before, after, rtol=0, atol=0)


@pytest.mark.parametrize("name", NETS)
def test_gradients_have_memory_of_their_own(name: str) -> None:
    """A gradient that two parameters share is clipped twice, and accumulated twice."""
    net: nn.Module = toy_net(NETS[name])
    outputs = [output for output in run(net, seed=0) if output.requires_grad]
    if outputs:  # a baseline has no parameter
        sum(output.square().sum() for output in outputs).backward()
    places = [p.grad.data_ptr() for p in net.parameters() if p.grad is not None]
    assert len(set(places)) == len(places)
