"""Replay the records of ST-Mamba and its U-Net of stacked frames; convert checkpoint files."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from openstl_ext import interop
from openstl_ext.errors import CheckpointError
from openstl_ext.methods.segmentation import Segmentation
from openstl_ext.profiling.flops import count_flops
from openstl_ext.registry import MODELS
from tests.parity import plain_st_mamba, recipe, replay
from tests.parity.drivers import frames_of
from tests.parity.network_record import NetworkRecord

NAMES = (
    "stmamba_fusion_mamba",
    "stmamba_fusion_gru",
    "stmamba_baseline_unet",
    "stmamba_baseline_unet_transposed",
)
LIGHT = ("stmamba_fusion_mamba", "stmamba_fusion_gru")
CASES = [n if n in LIGHT else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]
ST_MAMBA = "xian1234/ST-Mamba"


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
        ("stmamba_fusion_mamba", "temporal_fusion.temporal_model.in_proj.weight"),
        ("stmamba_fusion_gru", "temporal_fusion.temporal_model.weight_hh_l0_reverse"),
        ("stmamba_baseline_unet_transposed", "up2.up.bias"),
    ],
)
def test_a_wrong_weight_is_detected(name: str, key: str) -> None:
    """A replay that cannot fail would show nothing."""
    part = NetworkRecord(record(name))
    part.weights[key] = part.weights[key] + torch.rand_like(part.weights[key])
    off = {q.name for q in part.replay() if not q.error <= replay.TOLERANCE}
    assert {"output", "train.loss"} <= off
    assert "n_params" not in off


def test_the_unused_half_of_the_gru_has_a_gradient_of_zero() -> None:
    """Without a gradient, the ranks of DDP would wait for it."""
    recorded = record("stmamba_fusion_gru")
    part = NetworkRecord(recorded)
    part.match.net.train()(part.inputs[0]).square().mean().backward()
    grads = part.match.split({k: p.grad for k, p in part.match.net.named_parameters()})
    zero = [key for key, grad in grads.items() if not grad.any()]
    assert zero == recorded["train"]["params_with_zero_grad"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "kwargs", "shape"),
    [
        ("STMamba", {"n_channels": 2, "n_classes": 3, "patch_size": 24}, (2, 5, 2, 24, 24)),
        ("STMamba", {"n_channels": 1, "n_classes": 1, "patch_size": 20}, (3, 1, 1, 20, 20)),
        ("STBiGRU", {"n_channels": 3, "n_classes": 2, "patch_size": 16}, (2, 4, 3, 16, 16)),
        ("UNet", {"n_channels": 5, "n_classes": 4}, (2, 5, 18, 33)),
        ("UNet", {"n_channels": 2, "n_classes": 1, "bilinear": False}, (2, 2, 21, 16)),
    ],
    ids=str,
)
@pytest.mark.parametrize("training", [False, True])
def test_other_arguments_equal_a_plain_implementation(
    cls: str, kwargs: dict[str, Any], shape: tuple[int, ...], training: bool
) -> None:
    """Only the arguments of the records would be compared."""
    torch.manual_seed(0)
    theirs: nn.Module
    if cls == "UNet":
        theirs = plain_st_mamba.BaselineUNet(**kwargs)
    else:
        kind = "mamba" if cls == "STMamba" else "gru"
        theirs = plain_st_mamba.SpatioTemporalFusion(**kwargs, temporal_module=kind)
    match = interop.adapter_of(ST_MAMBA, cls, kwargs)
    match.load(theirs.state_dict())
    theirs, x = theirs.double(), torch.randn(shape).double()
    match.net.double()
    expected = theirs.train(training)(x)
    output = match.net.train(training)(x.unsqueeze(1) if cls == "UNet" else x)
    torch.testing.assert_close(output, expected)
    if training:
        output.square().mean().backward()
        expected.square().mean().backward()
        grads = match.split({k: p.grad for k, p in match.net.named_parameters()})
        for key, weight in theirs.named_parameters():
            torch.testing.assert_close(grads[key], weight.grad)
        moved = match.split(match.net.state_dict())
        for key, value in theirs.state_dict().items():
            torch.testing.assert_close(moved[key], value)


@pytest.mark.parametrize("name", CASES)
def test_the_converted_net_gives_the_recorded_output(name: str, tmp_path: Path) -> None:
    """Bare weights, whose file name names the wrong module, could not be converted."""
    recorded = record(name)
    weights = recipe.weights(recorded)
    weights |= {key: torch.tensor(5) for key in recorded["left"]}
    path = tmp_path / "STMamba_gru__best_model.pth"
    torch.save(weights, path)
    stated = {}
    if "patch_size" in recorded["kwargs"]:
        stated = {"patch_size": recorded["kwargs"]["patch_size"]}
        with pytest.raises(CheckpointError, match="patch_size"):
            interop.convert(path)
        with pytest.raises(CheckpointError, match="does not fit"):
            interop.convert(path, stated={"patch_size": stated["patch_size"] + 8})
        odd = interop.convert(path, stated={"patch_size": stated["patch_size"] + 7})
        assert odd["meta"]["net"]["patch_size"] == stated["patch_size"] + 7
    converted = interop.convert(path, stated=stated)
    net = MODELS.build(converted["meta"]["net"]).eval()
    net.load_state_dict({k.removeprefix("net."): v for k, v in converted["state_dict"].items()})
    with torch.no_grad():
        logits = net(frames_of(recorded, recipe.inputs(recorded)))
    values = torch.tensor(recorded["output"]["samples"]["values"])
    ours = logits.flatten()[:: recorded["output"]["samples"]["stride"]][: len(values)]
    torch.testing.assert_close(ours, values, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "patch_size"), [("mamba", 128), ("gru", 128), ("mamba", 64), ("gru", 64)]
)
def test_the_published_sizes_have_the_recorded_cost(kind: str, patch_size: int) -> None:
    """Costs of small nets would not show an error at the published size."""
    name = f"SpatioTemporalFusion({kind}, n_channels=4, n_classes=1, patch_size={patch_size})"
    recorded = record("full_size_params")["groups"]["ST-Mamba"]["models"][name]
    net = MODELS.build(
        {"type": "STMamba", "in_channels": 4, "temporal": kind} | {"patch_size": patch_size}
    )
    ((batch, length, *rest),) = recorded["flops_input_shapes"]
    method = Segmentation(net=net, loss={"type": "BCEDice"})
    frames = {"frames": torch.zeros(batch, length, *rest)}
    found = count_flops(method, frames, 0, unknown=recorded["unsupported_ops"])
    # the record's scan ran as einsums, which were counted at 2.5 B L D N, rounded to four digits
    scan = 2.5 * batch * length * 1024 * 16 if kind == "mamba" else 0
    assert found.total + scan == pytest.approx(recorded["flops_fvcore"], abs=100)
