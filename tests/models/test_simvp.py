"""SimVP: published size, order of computation and input checks."""

from typing import Any

import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.layers.drop_path import DropPath
from openstl_ext.layers.memory_format import published_order
from openstl_ext.methods.direct_forecast import DirectForecast
from openstl_ext.models.simvp import SimVP
from openstl_ext.profiling.flops import count_flops
from openstl_ext.registry import MODELS, TRANSLATORS

TRANSLATORS.import_from_location()
SMALL: dict[str, Any] = {
    "in_shape": (3, 2, 8, 12),
    "spatial_channels": 4,
    "temporal_channels": 6,
    "num_spatial_blocks": 2,
    "num_temporal_blocks": 2,
    "mlp_ratio": 2.0,
}
MOVING_MNIST: dict[str, Any] = {
    "in_shape": (10, 1, 64, 64),
    "spatial_channels": 64,
    "temporal_channels": 512,
    "num_spatial_blocks": 4,
    "num_temporal_blocks": 8,
}


def small(**changes: Any) -> SimVP:
    torch.manual_seed(0)
    return SimVP(**{**SMALL, **changes}).eval()


@pytest.mark.slow
def test_moving_mnist_has_the_published_size_and_cost() -> None:
    """The published tables list 46.77 M parameters and 16.53 G multiply-adds."""
    method = DirectForecast(net=SimVP(**MOVING_MNIST), loss={"type": "L2"})
    assert sum(p.numel() for p in method.parameters()) == 46_769_665
    cost = count_flops(method, {"frames": torch.rand(1, 10, 1, 64, 64)}, horizon=10)
    assert cost.total == 16_526_049_280


@pytest.mark.parametrize("translator", sorted(TRANSLATORS.module_dict))
@pytest.mark.parametrize("num_spatial_blocks", [1, 2, 3, 4, 5])
def test_odd_and_even_numbers_of_layers_keep_the_shape(
    num_spatial_blocks: int, translator: str
) -> None:
    """An odd number of layers would be reduced by one without a warning, as upstream."""
    net = small(num_spatial_blocks=num_spatial_blocks, translator=translator)
    assert len(net.encoder.layers) == len(net.decoder.layers) == num_spatial_blocks
    frames = torch.rand(2, *SMALL["in_shape"])
    assert net(frames).shape == frames.shape


def test_output_channels_can_differ_from_input_channels() -> None:
    """One variable could not be forecast from several."""
    assert small(out_channels=5)(torch.rand(2, 3, 2, 8, 12)).shape == (2, 3, 5, 8, 12)


def test_the_last_decoder_layer_adds_the_skip() -> None:
    """Published weights would give blurred forecasts."""
    net = small()
    outputs: list[Tensor] = []
    net.encoder.layers[0].register_forward_hook(lambda *args: outputs.append(args[-1]))
    net.decoder.layers[-2].register_forward_hook(lambda *args: outputs.append(args[-1]))
    net.decoder.layers[-1].register_forward_pre_hook(lambda _, args: outputs.append(args[0]))
    net(torch.rand(1, 3, 2, 8, 12))
    skip, below, into_last = outputs
    torch.testing.assert_close(into_last, skip + below)


def test_drop_path_rises_from_one_percent() -> None:
    """The schedule would differ from the published one, which starts at 0.01 for any end."""
    net = small(num_temporal_blocks=3, drop_path=0.2)
    probs = [m.prob for m in net.modules() if isinstance(m, DropPath)]
    assert probs == pytest.approx([0.01, 0.105, 0.2])


@pytest.mark.parametrize("training", [False, True])
def test_the_fast_order_equals_the_published_order(training: bool) -> None:
    """The faster computation would be another model."""
    net = small(drop_path=0.0).double().train(training)
    for module in net.modules():
        if isinstance(module, DropPath):
            module.eval()
    frames = torch.rand(2, 3, 2, 8, 12, dtype=torch.float64)
    fast = net(frames)
    fast_grads = torch.autograd.grad(fast.square().sum(), list(net.parameters()))
    with published_order():
        plain = net(frames)
        plain_grads = torch.autograd.grad(plain.square().sum(), list(net.parameters()))
    torch.testing.assert_close(fast, plain, rtol=1e-9, atol=1e-11)
    for ours, theirs in zip(fast_grads, plain_grads, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    "shape", [(2, 4, 2, 8, 12), (2, 3, 1, 8, 12), (2, 3, 2, 12, 8), (2, 3, 2, 8, 8), (3, 2, 8, 12)]
)
def test_frames_of_another_shape_are_rejected(shape: tuple[int, ...]) -> None:
    """The message of torch would name channels of a convolution inside the net."""
    with pytest.raises(ShapeError, match=r"3, 2, 8, 12\), got \(" + ", ".join(map(str, shape))):
        small()(torch.rand(shape))


def test_the_shape_error_in_a_trace_contains_numbers() -> None:
    """Sizes are tensors in a trace and would be printed as ``tensor(4)``."""
    method = DirectForecast(net=small(), loss={"type": "L2"})
    with pytest.raises(ShapeError, match=r"got \(1, 4, 2, 8, 12\)"):
        count_flops(method, {"frames": torch.rand(1, 4, 2, 8, 12)}, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"in_shape": (3, 2, 9, 12)}, "multiples of 2; in_shape has 9 x 12"),
        ({"in_shape": (3, 2, 8, 10), "num_spatial_blocks": 4}, "multiples of 4"),
        ({"in_shape": (3, 8, 12)}, "four counts"),
        ({"spatial_channels": 5}, "multiple of 2"),
        ({"num_spatial_blocks": 0}, "num_spatial_blocks: expected int >= 1"),
        ({"num_temporal_blocks": 1}, "2 temporal blocks"),
        ({"mlp_ratio": 1.0}, "greater than 1"),
        ({"translator": "gst"}, "did you mean 'gsta'"),
    ],
)
def test_invalid_arguments_are_rejected(changes: dict[str, Any], message: str) -> None:
    """A config would fail after the start, with a message that does not name its key."""
    with pytest.raises(ConfigError, match=message):
        MODELS.build({"type": "SimVP", **SMALL, **changes})


def test_bf16_weights_and_frames_work() -> None:
    """Prediction with half the memory would not be possible."""
    net = small().bfloat16()
    out = net(torch.rand(1, 3, 2, 8, 12).bfloat16())
    assert out.dtype == torch.bfloat16
    assert out.isfinite().all()
