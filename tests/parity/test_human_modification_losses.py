"""Loss of the direct forecaster of Human Modification, compared with its record."""

import json
from itertools import chain

import pytest
import torch

from openstl_ext.methods.multi_horizon_regression import MultiHorizonRegression
from tests.parity import recipe
from tests.parity.network_record import NetworkRecord
from tests.parity.replay import GOLDEN

TERMS = {
    "mse": {"loss": {"type": "L2"}, "of": "change"},
    "lower": {"loss": {"type": "Pinball", "quantile": 0.025}, "of": 0.025},
    "upper": {"loss": {"type": "Pinball", "quantile": 0.975}, "of": 0.975},
}


def test_one_backward_pass_of_the_method_equals_the_two_of_the_record() -> None:
    """Quantiles would change the trunk, which upstream prevents with a second backward pass."""
    part = NetworkRecord(json.loads((GOLDEN / "hm_direct.json").read_text()))
    recorded, net = part.record["isolated"], part.build().net.train()
    steps, static = part.inputs
    size = [len(steps), net.num_horizons, *steps.shape[3:]]
    (target,) = recipe.inputs({"inputs": [{"shape": size, "seed": recorded["y_seed"]}]})

    method = MultiHorizonRegression(
        net=net, strategy="direct", terms=TERMS, quantile_levels=(0.025, 0.975)
    )
    inputs = {"frames": steps[:, :, :1], "dynamic": steps[:, :, 1:], "static": static}
    losses = method(inputs, {"frames": target.unsqueeze(2)}, mode="loss")
    sum(value for name, value in losses.items() if name.startswith("loss_")).backward()

    assert losses["mse"].item() == pytest.approx(recorded["central_loss"], rel=1e-5)
    quantiles = (losses["lower"] + losses["upper"]).item()
    assert quantiles == pytest.approx(recorded["quantile_loss"], rel=1e-5)
    parts = {"trunk": (net.trunk, net.central), "quantile_heads": (net.lower, net.upper)}
    for name, modules in parts.items():
        weights = chain.from_iterable(module.parameters() for module in modules)
        norm = torch.stack([w.grad.double().norm() for w in weights]).norm().item()
        assert norm == pytest.approx(recorded[f"{name}_grad_l2"], rel=1e-5)
