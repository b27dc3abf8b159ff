"""Conversion of checkpoint files of the Human Modification forecasters."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext import interop
from openstl_ext.errors import CheckpointError
from openstl_ext.registry import MODELS
from tests.parity import recipe, replay

SOURCE, CLASS = "GMoncrieff/spatio-temporal", "SpatioTemporalPredictor"
# Buffers of losses that Lightning saves next to the net.
BUFFERS = {"histogram_bins": torch.rand(9), "histogram_loss_fn.bin_weights": torch.rand(4, 8)}


def converted(
    weights: dict[str, torch.Tensor], folder: Path, arguments: Any = None, **stated: Any
) -> tuple[torch.nn.Module, dict]:
    """Convert a Lightning file of weights; return our net and its config."""
    path = folder / "last.ckpt"
    state = {f"model.{key}": value for key, value in weights.items()}
    rest = {"epoch": 3, "hyper_parameters": arguments or {}}
    torch.save({"state_dict": {**state, **BUFFERS}, **rest}, path)
    found = interop.convert(path, stated=stated)
    net = MODELS.build(found["meta"]["net"])
    names = {k.removeprefix("net."): v for k, v in found["state_dict"].items()}
    net.load_state_dict(names, strict=True)
    return net.eval(), found["meta"]["net"]


@pytest.mark.parametrize("name", ["hm_simple", "hm_simple_default", "hm_direct"])
def test_the_converted_net_equals_the_one_built_from_its_arguments(
    name: str, tmp_path: Path
) -> None:
    """Users could not convert a net without its training config."""
    record = json.loads((replay.GOLDEN / f"{name}.json").read_text())
    weights = recipe.weights(record)
    net, _ = converted(weights, tmp_path, record["kwargs"])
    known = interop.load(SOURCE, CLASS, record["kwargs"], weights).eval()
    assert type(net) is type(known)
    assert (net.static_channels, net.dynamic_channels) == (
        known.static_channels,
        known.dynamic_channels,
    )
    frames = torch.rand(2, 3, 1, 12, 16)
    constant = torch.rand(2, net.static_channels + net.dynamic_channels, 12, 16)
    steps = constant[:, None].expand(-1, 3, -1, -1, -1)

    def forecast(any_net: Any) -> torch.Tensor:
        number = any_net.dynamic_channels
        covariates = {"dynamic": steps[:, :, :number], "static": constant[:, number:]}
        return any_net(frames, **covariates).forecast

    with torch.no_grad():
        torch.testing.assert_close(forecast(net), forecast(known), rtol=1e-6, atol=1e-6)


def test_the_location_encoder_is_converted(tmp_path: Path) -> None:
    """The sizes of the encoder, which only its weights contain, would be wrong."""
    kwargs = {
        **{"hidden_dim": 4, "num_dynamic_channels": 11, "num_static_channels": 7},
        **{"locenc_out_channels": 5, "locenc_hparams": {"legendre_polys": 6, "dim_hidden": 12}},
    }
    known = interop.adapter_of(SOURCE, CLASS, kwargs)
    own = known.split(known.net.state_dict())
    weights = {key: recipe.fill(key, list(value.shape)) for key, value in own.items()}
    known.load(weights)
    net, config = converted(weights, tmp_path, static_channels=7)
    assert config == {"type": "QuantileConvLSTM", **known.arguments}
    shapes = {"frames": (3, 1), "dynamic": (3, 10), "static": (7,), "lonlat": (2,)}
    inputs = {name: torch.rand(1, *shape, 8, 8) for name, shape in shapes.items()}
    with torch.no_grad():
        for ours, theirs in zip(net(**inputs), known.net(**inputs), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_weights_of_a_later_version_are_rejected(tmp_path: Path) -> None:
    """A net with another head would be loaded with some of its weights."""
    record = json.loads((replay.GOLDEN / "hm_direct.json").read_text())
    weights = {**recipe.weights(record), "shape_head.0.weight": torch.rand(2, 2)}
    with pytest.raises(CheckpointError, match=r"unknown: shape_head"):
        converted(weights, tmp_path, record["kwargs"])


def test_another_location_encoder_is_rejected() -> None:
    """It would be computed with our harmonics, and no key would differ."""
    with pytest.raises(interop.NoAdapterError, match="theory and siren"):
        interop.adapter_of(SOURCE, CLASS, {"locenc_backbone": ("theory", "siren")})


@pytest.mark.parametrize(("dynamic", "static"), [(1, 0), (1, 3), (3, 0), (4, 7), (11, 7), (9, 1)])
def test_the_split_of_the_covariates_is_read_stated_or_demanded(
    dynamic: int, static: int, tmp_path: Path
) -> None:
    """Covariates that change in time would be read as constant ones, without a message."""
    kwargs = {"num_dynamic_channels": dynamic, "num_static_channels": static, "hidden_dim": 4}
    kwargs["use_location_encoder"] = False
    match = interop.adapter_of(SOURCE, CLASS, kwargs)
    weights = match.split(match.net.state_dict())
    expected = {"static_channels": static, "dynamic_channels": dynamic - 1}
    for arguments, stated in (
        (kwargs, {}),
        ({}, expected),
        ({}, {"dynamic_channels": dynamic - 1}),
    ):
        _, config = converted(weights, tmp_path, arguments, **stated)
        assert expected.items() <= config.items()
    if static + dynamic > 1:
        with pytest.raises(CheckpointError, match="static_channels"):
            converted(weights, tmp_path)
        with pytest.raises(CheckpointError, match="do not fit"):
            converted(weights, tmp_path, static_channels=static + dynamic)


def test_another_location_encoder_of_a_file_is_rejected(tmp_path: Path) -> None:
    """Its weights have the same names, and our harmonics would be computed."""
    kwargs = {"num_dynamic_channels": 2, "num_static_channels": 1}
    match = interop.adapter_of(SOURCE, CLASS, kwargs)
    weights = match.split(match.net.state_dict())
    arguments = {**kwargs, "locenc_backbone": ["theory", "siren"]}
    with pytest.raises(interop.NoAdapterError, match="theory and siren"):
        converted(weights, tmp_path, arguments)
