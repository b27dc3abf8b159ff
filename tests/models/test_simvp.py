"""SimVP as published, and what it refuses."""

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


def test_moving_mnist_has_the_published_size_and_cost() -> None:
    """46.77 M parameters and 16.53 G multiply-adds are what the tables of the field say."""
    method = DirectForecast(net=SimVP(**MOVING_MNIST), loss={"type": "L2"})
    assert sum(p.numel() for p in method.parameters()) == 46_769_665
    cost = count_flops(method, {"frames": torch.rand(1, 10, 1, 64, 64)}, horizon=10)
    assert cost.total == 16_526_049_280


@pytest.mark.parametrize("translator", sorted(TRANSLATORS.module_dict))
@pytest.mark.parametrize("num_spatial_blocks", [1, 2, 3, 4, 5])
def test_odd_and_even_numbers_of_layers_keep_the_shape(
    num_spatial_blocks: int, translator: str
) -> None:
    """An odd number is a layer more at the same size, not quietly one less."""
    net = small(num_spatial_blocks=num_spatial_blocks, translator=translator)
    assert len(net.encoder.layers) == len(net.decoder.layers) == num_spatial_blocks
    frames = torch.rand(2, *SMALL["in_shape"])
    assert net(frames).shape == frames.shape


def test_other_channels_can_be_said_than_seen() -> None:
    """A forecast of one variable from several."""
    assert small(out_channels=5)(torch.rand(2, 3, 2, 8, 12)).shape == (2, 3, 5, 8, 12)


def test_the_decoder_sees_the_first_layer_of_the_encoder() -> None:
    """Without the skip a published net forecasts blurs."""
    net = small()
    seen: list[Tensor] = []
    net.encoder.layers[0].register_forward_hook(lambda *args: seen.append(args[-1]))
    net.decoder.layers[-2].register_forward_hook(lambda *args: seen.append(args[-1]))
    net.decoder.layers[-1].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    net(torch.rand(1, 3, 2, 8, 12))
    skip, below, into_last = seen
    torch.testing.assert_close(into_last, skip + below)


def test_drop_path_rises_from_one_percent() -> None:
    """The published schedule starts at 0.01 whatever it ends with."""
    net = small(num_temporal_blocks=3, drop_path=0.2)
    probs = [m.prob for m in net.modules() if isinstance(m, DropPath)]
    assert probs == pytest.approx([0.01, 0.105, 0.2])


@pytest.mark.parametrize("training", [False, True])
def test_the_fast_order_is_equal_to_the_published_one(training: bool) -> None:
    """Speed must not be paid for with another model."""
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
def test_frames_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    """Torch's own message speaks of channels of a convolution that nobody wrote."""
    with pytest.raises(ShapeError, match=r"3, 2, 8, 12\), not \(" + ", ".join(map(str, shape))):
        small()(torch.rand(shape))


def test_a_profile_of_another_shape_says_the_shape_in_numbers() -> None:
    """In a trace every size is a tensor, and was said as ``tensor(4)``."""
    method = DirectForecast(net=small(), loss={"type": "L2"})
    with pytest.raises(ShapeError, match=r"not \(1, 4, 2, 8, 12\)"):
        count_flops(method, {"frames": torch.rand(1, 4, 2, 8, 12)}, 4)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"in_shape": (3, 2, 9, 12)}, "multiples of 2; in_shape says 9 x 12"),
        ({"in_shape": (3, 2, 8, 10), "num_spatial_blocks": 4}, "multiples of 4"),
        ({"in_shape": (3, 8, 12)}, "four counts"),
        ({"spatial_channels": 5}, "multiple of 2"),
        ({"num_spatial_blocks": 0}, "at least 1 spatial"),
        ({"num_temporal_blocks": 1}, "2 temporal blocks"),
        ({"mlp_ratio": 1.0}, "greater than 1"),
        ({"translator": "gst"}, "did you mean 'gsta'"),
    ],
)
def test_arguments_that_make_no_net_are_refused(changes: dict[str, Any], said: str) -> None:
    """A config that cannot be is said before the first iteration, in the config's words."""
    with pytest.raises(ConfigError, match=said):
        MODELS.build({"type": "SimVP", **SMALL, **changes})


def test_bf16_weights_and_frames_work() -> None:
    """Half the memory, where a forecast is all that is wanted."""
    net = small().bfloat16()
    out = net(torch.rand(1, 3, 2, 8, 12).bfloat16())
    assert out.dtype == torch.bfloat16
    assert out.isfinite().all()
