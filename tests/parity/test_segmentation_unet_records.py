"""Records of the U-Nets over image series, replayed, and their checkpoint files."""

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


def record(name: str) -> dict[str, Any]:
    return json.loads((replay.GOLDEN / f"{name}.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_quantity_is_met(name: str) -> None:
    """If this fails, what we call by the published name is another thing."""
    recorded = record(name)
    errors = {q.name: q.error for q in replay.quantities(recorded)}
    expected = {"n_params", "output", "flops_fvcore", "train.loss"}
    expected |= {f"train.grad_l2[{key}]" for key in recorded["train"]["grad_l2"]}
    assert errors.keys() == expected
    assert max(errors.values()) <= replay.TOLERANCE


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("stmamba_unet3d", "up3.up.weight"),
        ("stmamba_convlstm_vit", "vit.attn.in_proj_bias"),
    ],
)
def test_a_wrong_weight_is_seen(name: str, key: str) -> None:
    """A replay that takes the better of two orders of computation must not take any."""
    part = NetworkRecord(record(name))
    part.weights[key] = part.weights[key] + 0.1 * torch.rand_like(part.weights[key])
    off = {q.name for q in part.replay() if not q.error <= replay.TOLERANCE}
    assert {"output", "train.loss"} <= off
    assert "n_params" not in off


@pytest.mark.parametrize("name", NAMES)
def test_a_file_becomes_the_net_that_its_weights_describe(name: str, tmp_path: Path) -> None:
    """The published script saves bare weights, and the file's name says another net at times."""
    recorded = record(name)
    weights = recipe.weights(recorded)
    weights |= {key: torch.tensor(5) for key in recorded["left"]}
    torch.save(weights, tmp_path / "best_model.pth")
    converted = interop.convert(tmp_path / "best_model.pth")
    net = dict(converted["meta"]["net"])
    if "num_heads" in net:
        assert net["num_heads"] == 8  # no weight knows; it is what was published
        net["num_heads"] = recorded["kwargs"]["vit_heads"]
    ours = MODELS.build(net).eval()
    ours.load_state_dict({k.removeprefix("net."): v for k, v in converted["state_dict"].items()})

    frames = frames_of(recorded, recipe.inputs(recorded))
    with torch.no_grad():
        logits = ours(frames)
    values = torch.tensor(recorded["output"]["samples"]["values"])
    said = logits.flatten()[:: recorded["output"]["samples"]["stride"]][: len(values)]
    torch.testing.assert_close(said, values, rtol=1e-4, atol=1e-5)


def test_weights_of_other_sizes_are_named() -> None:
    """A net trained on six bands does not fit one of four."""
    recorded = record("stmamba_unet3d")
    source, weights = recorded["reference"]["repo"], recipe.weights(recorded)
    weights |= {key: torch.tensor(0) for key in recorded["left"]}
    with pytest.raises(
        CheckpointError, match=r"inc\.conv_block\.0\.spatial_conv\.weight \(\(32, 6"
    ):
        interop.load(source, "UNet3D", {"n_channels": 6}, weights)
