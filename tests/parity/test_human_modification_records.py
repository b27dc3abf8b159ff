"""Replay the records of the Human Modification forecasters."""

import json
from functools import cache
from typing import Any

import pytest
import torch

from openstl_ext import interop
from tests.parity import recipe, replay
from tests.parity.human_modification_record import replay as replay_network
from tests.parity.network_record import NetworkRecord

NAMES = ("hm_simple", "hm_simple_default", "hm_direct")


def record(name: str) -> dict[str, Any]:
    return json.loads((replay.GOLDEN / f"{name}.json").read_text())


@cache
def errors(name: str) -> dict[str, float | None]:
    return {q.name: q.error for q in replay.quantities(record(name))}


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_quantity_is_met(name: str) -> None:
    """The net would not be the published one."""
    assert all(error is not None and error <= replay.TOLERANCE for error in errors(name).values())


@pytest.mark.parametrize("name", NAMES)
def test_a_replay_covers_all_that_is_recorded(name: str) -> None:
    """A quantity that is not compared could have any value."""
    recorded = record(name)
    expected = {"n_params", "output", "train.loss", "flops_fvcore"}
    expected |= {f"train.grad_l2[{key}]" for key in recorded["train"]["grad_l2"]}
    if "rollout" in recorded:
        expected.add("rollout[4]")
    parts = ("central_loss", "quantile_loss", "trunk_grad_l2", "quantile_heads_grad_l2")
    expected |= {f"isolated.{part}" for part in parts if part in recorded.get("isolated", ())}
    assert errors(name).keys() == expected


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("hm_simple", ("rollout", "output", "l2")),
        ("hm_direct", ("isolated", "trunk_grad_l2")),
        ("hm_direct", ("isolated", "quantile_heads_grad_l2")),
        ("hm_direct", ("isolated", "quantile_loss")),
        ("hm_direct", ("flops_fvcore",)),
    ],
)
def test_each_recorded_number_is_compared(name: str, path: tuple[str, ...]) -> None:
    """A replay that compares a value with itself would always pass."""
    changed = entry = record(name)
    for key in path[:-1]:
        entry = entry[key]
    entry[path[-1]] *= 1.001
    assert sum(not q.error <= replay.TOLERANCE for q in replay_network(changed)) == 1


def test_a_wrong_weight_is_detected() -> None:
    """Gates in another order would not be detected."""
    part = NetworkRecord(record("hm_direct"))
    part.weights["convlstm.cell_list.1.conv.weight"][9] += 0.1
    off = {q.name for q in part.replay() if not (q.error or 0.0) <= replay.TOLERANCE}
    assert {"output", "train.loss"} <= off


@pytest.mark.parametrize(
    ("kwargs", "first"),
    [
        ({}, (64, 18, 3, 3)),
        ({"hidden_dim": 6, "num_layers": 3, "kernel_size": 5}, (24, 8, 5, 5)),
        ({"hidden_dim": 6, "num_static_channels": 2, "use_location_encoder": False}, (24, 9, 3, 3)),
        ({"num_dynamic_channels": 3, "locenc_out_channels": 5}, (64, 25, 3, 3)),
        ({"locenc_hparams": {"legendre_polys": 4, "dim_hidden": 8}}, (64, 26, 3, 3)),
    ],
    ids=str,
)
def test_other_arguments_of_either_version_build_its_net(
    kwargs: dict[str, Any], first: tuple[int, ...]
) -> None:
    """Records with other arguments could not be replayed; the shapes were computed by hand."""
    match = interop.adapter_of("GMoncrieff/spatio-temporal", "SpatioTemporalPredictor", kwargs)
    own = match.split(match.net.state_dict())
    assert tuple(own["convlstm.cell_list.0.conv.weight"].shape) == first
    filled = match.load({key: recipe.fill(key, list(value.shape)) for key, value in own.items()})
    assert filled is match.net
    again = type(match.net)(**match.arguments)
    again.load_state_dict(match.net.state_dict(), strict=True)
    if kwargs.get("locenc_hparams"):
        key = "location_encoder.neural_network.layers.0.weight"
        assert torch.equal(own[key], match.net.location.net.layers[0].weight)


def test_the_locations_of_a_record_reach_the_location_encoder() -> None:
    """A record with a third input, channels last, would fail."""
    kwargs = {"hidden_dim": 4, "num_static_channels": 2, "num_dynamic_channels": 3}
    match = interop.adapter_of("GMoncrieff/spatio-temporal", "SpatioTemporalPredictor", kwargs)
    shapes = {key: list(value.shape) for key, value in match.split(match.net.state_dict()).items()}
    match.load({key: recipe.fill(key, shape) for key, shape in shapes.items()})
    sizes = ((2, 3, 3, 5, 7), (2, 2, 5, 7), (2, 5, 7, 2))
    given = {"inputs": [{"seed": seed, "shape": list(size)} for seed, size in enumerate(sizes)]}
    steps, static, locations = recipe.inputs(given)
    with torch.no_grad():
        predicted = match.net.eval()(
            steps[:, :, :1],
            dynamic=steps[:, :, 1:],
            static=static,
            lonlat=locations.movedim(-1, 1),
        )
    lower, upper = predicted.quantiles.unbind(dim=1)
    output = torch.stack([lower, predicted.forecast, upper], dim=2).flatten(1, 2).double()
    made = {
        **{"reference": {"repo": "GMoncrieff/spatio-temporal"}, "class": "SpatioTemporalPredictor"},
        **{"kwargs": kwargs, "keys": shapes, **given},
        "n_params": sum(p.numel() for p in match.net.parameters()),
        "output": {
            "shape": list(output.shape),
            **{"mean": output.mean().item(), "std": output.std(correction=0).item()},
            "l2": output.norm().item(),
            "samples": {"stride": 1, "values": output.flatten().tolist()},
        },
    }
    found = {q.name: q.error for q in replay.quantities(made)}
    assert found.keys() == {"n_params", "output"}
    assert all(error is not None and error <= 1e-6 for error in found.values())
