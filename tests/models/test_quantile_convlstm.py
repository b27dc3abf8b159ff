"""ConvLSTM that predicts several horizons with intervals."""

from typing import Any

import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import HorizonForecast
from openstl_ext.models.quantile_convlstm import QuantileConvLSTM


def size(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def small(**changed: Any) -> QuantileConvLSTM:
    """Build a small net with the same weights at each call, apart from changed arguments."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        **{"hidden_channels": 4, "num_layers": 2, "dynamic_channels": 2, "static_channels": 1},
        **{"location_channels": 2, "harmonic_degrees": 3, "location_hidden": 4},
    }
    return QuantileConvLSTM(**{**sizes, **changed})


def inputs_of_a_batch() -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(1)
    shapes = {"frames": (3, 1), "dynamic": (3, 2), "static": (1,), "lonlat": (2,)}
    return {n: torch.rand(2, *shape, 8, 8, generator=draw) for n, shape in shapes.items()}


def losses(predicted: HorizonForecast, target: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error of the centre; pinball of both ends."""
    ends = ((predicted.quantiles[:, 0], 0.025), (predicted.quantiles[:, 1], 0.975))
    pinball = [torch.maximum(q * (target - e), (q - 1) * (target - e)).mean() for e, q in ends]
    return (predicted.forecast - target).square().mean(), pinball[0] + pinball[1]


@pytest.mark.parametrize(
    ("hidden", "layers", "features", "expected"),
    [
        (16, 1, 8, (54_100, 24_256, 9_348, 4_676, 4_676)),
        (64, 2, 8, (809_876, 502_784, 147_972, 73_988, 73_988)),
        (64, 2, 0, (780_300, 484_352, 147_972, 73_988, 73_988)),
    ],
)
@pytest.mark.parametrize("crossing", ["allow", "forbid"])
def test_it_has_the_published_sizes(
    hidden: int, layers: int, features: int, expected: tuple[int, ...], crossing: Any
) -> None:
    """Another number of parameters, also of a part, is another net."""
    with torch.device("meta"):
        net = QuantileConvLSTM(
            hidden_channels=hidden,
            num_layers=layers,
            location_channels=features,
            crossing=crossing,
        )
    parts = [net, net.trunk, net.central, net.lower, net.upper]
    assert tuple(map(size, parts)) == expected
    assert (size(net.location) if net.location is not None else 0) == (11_144 if features else 0)


@pytest.mark.parametrize("crossing", ["allow", "forbid"])
def test_one_backward_pass_equals_the_published_two(crossing: Any) -> None:
    """Upstream runs two passes and keeps the gradients of each loss; training would differ."""
    target = torch.rand(2, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    ours = small(crossing=crossing)
    sum(losses(ours(**inputs_of_a_batch()), target)).backward()

    theirs = small(crossing=crossing, isolated=False)
    central, quantiles = losses(theirs(**inputs_of_a_batch()), target)
    ends = ("lower.", "upper.")
    central.backward(retain_graph=True)
    expected = {
        name: p.grad.clone()
        for name, p in theirs.named_parameters()
        if p.grad is not None and not name.startswith(ends)
    }
    theirs.zero_grad()
    quantiles.backward()
    named = dict(theirs.named_parameters())
    assert named["trunk.cells.0.gates.conv.weight"].grad.abs().max() > 1e-4  # discarded upstream
    expected |= {n: p.grad for n, p in named.items() if n.startswith(ends)}

    assert expected.keys() == named.keys()
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(
            parameter.grad, expected[name], msg=lambda m, n=name: f"{n}: {m}"
        )


def test_intervals_do_not_cross_if_forbidden() -> None:
    """A lower end above the upper end is no interval, and its coverage has no meaning."""
    wild = small()
    safe = small(crossing="forbid")
    for net in (wild, safe):
        for parameter in net.parameters():
            parameter.data.mul_(5)
    crossed = wild(**inputs_of_a_batch())
    assert (crossed.quantiles[:, 0] > crossed.quantiles[:, 1]).any()
    predicted = safe(**inputs_of_a_batch())
    assert (predicted.quantiles[:, 0] < predicted.forecast).all()
    assert (predicted.forecast < predicted.quantiles[:, 1]).all()
    torch.testing.assert_close(predicted.forecast, crossed.forecast)
    with pytest.raises(ConfigError, match="allow, forbid"):
        small(crossing="sort")


def test_a_closed_interval_still_has_a_gradient() -> None:
    """With a clamp, the interval would stay closed for the rest of the training."""
    net = small(crossing="forbid")
    for head in net.lower:
        head[2].bias.data.fill_(-12.0)  # the interval is all but closed
    lower = net(**inputs_of_a_batch()).quantiles[:, 0]
    lower.sum().backward()
    assert all(head[2].bias.grad.abs() > 1e-4 for head in net.lower)


@pytest.mark.parametrize("name", ["frames", "dynamic", "static", "lonlat"])
def test_every_input_changes_every_output(name: str) -> None:
    """An input would have no effect."""
    net, inputs = small(), inputs_of_a_batch()
    before = net(**inputs)
    inputs[name] = inputs[name] + 20
    after = net(**inputs)
    for was, is_now in zip(before, after, strict=True):
        assert not torch.allclose(was, is_now)


def test_each_horizon_has_its_own_head() -> None:
    """All horizons would have the same forecast."""
    predicted = small(num_horizons=3)(**inputs_of_a_batch())
    assert (predicted.forecast.shape, predicted.quantiles.shape) == ((2, 3, 8, 8), (2, 2, 3, 8, 8))
    assert not torch.allclose(predicted.forecast[:, 0], predicted.forecast[:, 1])


@pytest.mark.parametrize("name", ["dynamic", "static", "lonlat"])
def test_the_error_names_a_missing_covariate(name: str) -> None:
    """Users could not see which covariate the dataset lacks."""
    inputs = inputs_of_a_batch()
    del inputs[name]
    with pytest.raises(ShapeError, match=f"batch needs `{name}`"):
        small()(**inputs)
    built_without = small(location_channels=0, static_channels=0, dynamic_channels=0)
    assert built_without(inputs["frames"]).forecast.isfinite().all()


def test_intervals_are_float32_under_autocast() -> None:
    """Widths below the rounding of bf16 would become zero."""
    net, inputs = small(crossing="forbid"), inputs_of_a_batch()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        predicted = net(**inputs)
    exact = net(**inputs)
    assert predicted.quantiles.dtype == torch.float32
    for mixed, full in zip(predicted, exact, strict=True):
        torch.testing.assert_close(mixed.float(), full, rtol=0, atol=0.03)
