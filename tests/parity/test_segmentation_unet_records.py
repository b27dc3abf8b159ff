"""Replay the records of the U-Nets over image series, and convert their checkpoint files."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext import interop
from openstl_ext.errors import CheckpointError
from openstl_ext.registry import MODELS
from tests.parity import recipe, replay
from tests.parity.drivers import frames_of
from tests.parity.network_record import NetworkRecord

NAMES = (
    "stmamba_unet3d",
    "stmamba_unet_convgru",
    "stmamba_convlstm_unet",
    "stmamba_convlstm_vit",
)
LIGHT = ("stmamba_unet3d",)
CASES = [n if n in LIGHT else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]


def record(name: str) -> dict[str, Any]:
    return json.loads((replay.GOLDEN / f"{name}.json").read_text())


@pytest.mark.parametrize("name", CASES)
def test_every_recorded_quantity_is_met(name: str) -> None:
    """The net would not be the published one."""
    recorded = record(name)
    errors = {q.name: q.error for q in replay.quantities(recorded)}
    expected = {"n_params", "output", "flops_fvcore", "train.loss"}
    expected |= {f"train.grad_l2[{key}]" for key in recorded["train"]["grad_l2"]}
    assert errors.keys() == expected
    assert max(errors.values()) <= replay.TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("stmamba_unet3d", "up3.up.weight"),
        ("stmamba_convlstm_vit", "vit.attn.in_proj_bias"),
    ],
)
def test_a_wrong_weight_is_detected(name: str, key: str) -> None:
    """A replay in two orders of computation could accept every value."""
    part = NetworkRecord(record(name))
    part.weights[key] = part.weights[key] + 0.1 * torch.rand_like(part.weights[key])
    off = {q.name for q in part.replay() if not q.error <= replay.TOLERANCE}
    assert {"output", "train.loss"} <= off
    assert "n_params" not in off


@pytest.mark.parametrize("name", CASES)
def test_the_converted_net_gives_the_recorded_output(name: str, tmp_path: Path) -> None:
    """Bare weights, whose file name may name another net, could not be converted."""
    recorded = record(name)
    weights = recipe.weights(recorded)
    weights |= {key: torch.tensor(5) for key in recorded["left"]}
    torch.save(weights, tmp_path / "best_model.pth")
    stated = {}
    if recorded["class"] == "ConvLSTMViT":
        with pytest.raises(CheckpointError, match="num_heads"):
            interop.convert(tmp_path / "best_model.pth")
        stated = {"num_heads": recorded["kwargs"]["vit_heads"]}
    converted = interop.convert(tmp_path / "best_model.pth", stated=stated)
    net = dict(converted["meta"]["net"])
    converted_net = MODELS.build(net).eval()
    converted_net.load_state_dict(
        {k.removeprefix("net."): v for k, v in converted["state_dict"].items()}
    )

    frames = frames_of(recorded, recipe.inputs(recorded))
    with torch.no_grad():
        logits = converted_net(frames)
    values = torch.tensor(recorded["output"]["samples"]["values"])
    ours = logits.flatten()[:: recorded["output"]["samples"]["stride"]][: len(values)]
    torch.testing.assert_close(ours, values, rtol=1e-4, atol=1e-5)


def test_the_error_names_weights_of_another_size() -> None:
    """Users could not see that a net was trained on other bands."""
    recorded = record("stmamba_unet3d")
    source, weights = recorded["reference"]["repo"], recipe.weights(recorded)
    weights |= {key: torch.tensor(0) for key in recorded["left"]}
    with pytest.raises(
        CheckpointError, match=r"inc\.conv_block\.0\.spatial_conv\.weight \(expected \(32, 6"
    ):
        interop.load(source, "UNet3D", {"n_channels": 6}, weights)
