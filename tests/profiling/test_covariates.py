"""Cost of nets with covariates and intervals."""

from typing import Any

import torch

from openstl_ext.methods.multi_horizon_regression import MultiHorizonRegression
from openstl_ext.models.covariate_convlstm import CovariateConvLSTM
from openstl_ext.models.quantile_convlstm import QuantileConvLSTM
from openstl_ext.profiling.flops import count_flops
from openstl_ext.profiling.report import profile
from tests.toys import toy_method

PIXELS = 16 * 16
STEPS = 4


def cost(net: torch.nn.Module, strategy: Any, horizon: int) -> int:
    """Count the multiply-adds of one sample of the toy batch."""
    terms = {"mse": {"loss": {"type": "L2"}}}
    levels = (0.025, 0.975) if isinstance(net, QuantileConvLSTM) else ()
    method = MultiHorizonRegression(
        net=net,
        strategy=strategy,
        terms=terms,
        quantile_levels=levels,
        hold_dynamic=True,
    )
    return count_flops(method, method.toy_batch(1)["inputs"], horizon).total


def test_a_rollout_costs_one_pass_per_horizon() -> None:
    """An autoregressive forecast of seven horizons would have the cost of one."""
    net = CovariateConvLSTM(hidden_channels=4, static_channels=1)
    gates = STEPS * PIXELS * 9 * (2 + 4) * 16
    assert cost(net, "autoregressive", 1) == gates + PIXELS * 4
    assert cost(net, "autoregressive", 7) == 7 * cost(net, "autoregressive", 1)


def test_intervals_and_locations_are_counted() -> None:
    """Heads of intervals and the location encoder would not be counted."""
    sizes: dict[str, Any] = {
        **{"hidden_channels": 4, "num_layers": 1, "dynamic_channels": 2, "static_channels": 1},
        **{"harmonic_degrees": 3, "location_hidden": 8, "num_horizons": 2},
    }
    gates, heads = 9 * (4 + 4) * 16, 9 * 4 * (4 + 2 + 2) + (4 + 2 + 2)
    without = QuantileConvLSTM(**sizes, location_channels=0)
    plain = PIXELS * (STEPS * gates + 2 * heads)
    assert cost(without, "direct", 2) == plain
    located = PIXELS * (9 * 8 + 8 * 8 + 8 * 5 + STEPS * 9 * 5 * 16)
    assert cost(QuantileConvLSTM(**sizes, location_channels=5), "direct", 2) == plain + located


def test_the_report_takes_covariates() -> None:
    """Covariates would be left out of the measured cost."""
    method = toy_method("MultiHorizonRegression", "QuantileConvLSTM")
    record = profile(method, method.toy_batch(1)["inputs"], 4, batch_size=2)
    assert record["num_parameters"] == sum(p.numel() for p in method.parameters())
    assert record["flops"] > 0
    assert record["frames_per_second"] > 0
    assert "aten::baddbmm" not in record["uncounted"]
