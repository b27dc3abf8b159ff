"""Weights of the SimVP of OpenSTL and of simvp_minimal."""

from typing import Any

import pytest
import torch
from torch import Tensor

from openstl_ext import interop
from openstl_ext.errors import CheckpointError, ConfigError
from openstl_ext.models.simvp import SimVP

OPENSTL = "chengtan9907/OpenSTL"
MINIMAL = "CCU-LANL-AIML/simvp_minimal"
KWARGS: dict[str, Any] = {
    "in_shape": [3, 2, 8, 12],
    "hid_S": 4,
    "hid_T": 6,
    "N_S": 2,
    "N_T": 3,
    "mlp_ratio": 2.0,
}


def published(source: str = OPENSTL, **changes: Any) -> dict[str, Tensor]:
    """Return random weights under the names of the reference."""
    torch.manual_seed(0)
    match = interop.adapter_of(source, "SimVP_Model", {**KWARGS, **changes})
    state = match.net.state_dict()
    return {theirs: torch.rand(state[ours].shape) for ours, theirs in match.theirs.items()}


@pytest.mark.parametrize("source", [OPENSTL, MINIMAL, "openstl", "simvp_minimal"])
def test_weights_are_loaded_under_our_names(source: str) -> None:
    """A weight under the wrong key would give a net with wrong outputs."""
    weights = published(source)
    net = interop.load(source, "SimVP_Model", KWARGS, weights)
    assert isinstance(net, SimVP)
    own = net.state_dict()
    assert len(own) == len(weights)
    for ours, theirs in {
        "decoder.layers.0.conv.weight": "dec.dec.0.conv.conv.0.weight",
        "decoder.layers.1.conv.weight": "dec.dec.1.conv.conv.weight",
        "decoder.readout.bias": "dec.readout.bias",
        "translator.stack.blocks.1.scale2": "hid.enc.1.block.layer_scale_2",
        "translator.stack.resizes.2.weight": "hid.enc.2.reduction.weight",
    }.items():
        torch.testing.assert_close(own[ours], weights[theirs])


def test_the_error_names_keys_as_the_reference_spells_them() -> None:
    """Users could not find the keys in their file."""
    weights = published()
    del weights["hid.enc.1.block.norm2.bias"]
    weights["hid.enc.9.block.norm2.bias"] = torch.zeros(2)
    weights["dec.readout.bias"] = torch.zeros(7)
    with pytest.raises(CheckpointError) as caught:
        interop.load(OPENSTL, "SimVP_Model", KWARGS, weights)
    message = str(caught.value)
    assert "missing: hid.enc.1.block.norm2.bias" in message
    assert "unknown: hid.enc.9.block.norm2.bias" in message
    assert "dec.readout.bias (expected (2,), got (7,))" in message


@pytest.mark.parametrize(("given", "built"), [(2, 2), (3, 2), (4, 4), (5, 4)])
def test_an_odd_number_of_layers_is_one_less_upstream(given: int, built: int) -> None:
    """Weights with N_S = 3, which upstream builds with two layers, would not load."""
    match = interop.adapter_of(OPENSTL, "SimVP_Model", {**KWARGS, "N_S": given})
    assert len(match.net.encoder.layers) == built  # type: ignore[arg-type]
    assert f"enc.enc.{built - 1}.conv.conv.weight" in match.ours


def test_missing_arguments_take_upstreams_defaults_and_unknown_ones_are_ignored() -> None:
    """Recorded arguments contain some that upstream ignores."""
    match = interop.adapter_of(
        OPENSTL, "SimVP_Model", {"in_shape": (2, 1, 8, 8), "act_inplace": True, "C_out": 5, "lr": 1}
    )
    arguments = dict(match.arguments)
    assert arguments.pop("in_shape") == (2, 1, 8, 8)
    assert arguments.pop("out_channels") is None
    assert list(arguments.values()) == [16, 256, 4, 4, 8.0, 0.0, 0.0, 3, 3, "gsta"]


def test_only_simvp_minimal_has_other_output_channels() -> None:
    """OpenSTL ignores the argument."""
    for source, channels in ((OPENSTL, 2), (MINIMAL, 1)):
        match = interop.adapter_of(source, "SimVP_Model", {**KWARGS, "C_out": 1})
        assert match.net(torch.rand(1, 3, 2, 8, 12)).shape[2] == channels


@pytest.mark.parametrize(
    ("source", "cls", "kwargs", "message"),
    [
        ("nobody/knows", "SimVP_Model", KWARGS, "nobody/knows"),
        (OPENSTL, "SimVP_Modle", KWARGS, "did you mean 'SimVP_Model'"),
        (OPENSTL, "SimVP_Model", {**KWARGS, "model_type": "Unheard"}, "'unheard' has no adapter"),
    ],
)
def test_a_missing_adapter_is_an_error_with_the_nearest_name(
    source: str, cls: str, kwargs: dict[str, Any], message: str
) -> None:
    """A replay could not tell a missing adapter from a typo."""
    with pytest.raises(interop.NoAdapterError, match=message):
        interop.load(source, cls, kwargs, {})


def test_the_shape_of_the_frames_is_required() -> None:
    """A KeyError would not name the argument."""
    with pytest.raises(ConfigError, match="in_shape"):
        interop.load(OPENSTL, "SimVP_Model", {"hid_S": 4}, {})
