"""Replay golden records, and check that a replay detects errors."""

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from openstl_ext import interop
from openstl_ext.layers.drop_path import DropPath
from tests.parity import recipe, replay
from tests.parity.network_record import NetworkRecord, distance
from tests.parity.quantity import Quantity

NETWORKS = (
    "simvp_gsta",
    "simvp_gsta_ns4",
    "simvp_minimal_model",
    "simvp_minimal_model_cout",
    "simvp_minimal_temporal_attention",
)
OTHERS = ("metrics", "simvp_minimal_metrics", "simvp_minimal_boiling", "hm_losses")


def record(name: str) -> dict[str, Any]:
    return json.loads((replay.GOLDEN / f"{name}.json").read_text())


def worst(quantities: list[Quantity]) -> float:
    return max(math.inf if math.isnan(q.error) else q.error for q in quantities)


def off(changed: dict[str, Any]) -> set[str]:
    """Return the names of the quantities that a replay reports as off."""
    return {q.name for q in replay.quantities(changed) if not q.error <= replay.TOLERANCE}


@pytest.mark.parametrize("name", [*NETWORKS, *OTHERS])
def test_every_recorded_quantity_is_met(name: str) -> None:
    """The net would not be the published one."""
    quantities = list(replay.quantities(record(name)))
    assert quantities
    assert worst(quantities) <= replay.TOLERANCE


@pytest.mark.parametrize("name", ["simvp_gsta", "simvp_minimal_model"])
def test_a_replay_covers_all_that_is_recorded(name: str) -> None:
    """A quantity that is not compared could have any value."""
    recorded = record(name)
    names = {q.name for q in replay.quantities(recorded)}
    expected = {"n_params", "output", "active_drop_modules", "flops_fvcore"}
    for part in ("train", "train_nodrop"):
        expected |= {f"{part}.loss"} | {f"{part}.grad_l2[{k}]" for k in recorded[part]["grad_l2"]}
    expected |= {f"rollout[{r['aft_seq_length']}]" for r in recorded.get("rollout", [])}
    assert names == expected


def test_a_wrong_weight_is_detected_in_output_and_gradients() -> None:
    """A replay that cannot fail would show nothing."""
    part = NetworkRecord(record("simvp_gsta"))
    part.weights["hid.enc.1.block.attn.spatial_gating_unit.conv_spatial.weight"][0, 0, 3, 3] += 0.1
    names = {q.name for q in part.replay() if q.error > replay.TOLERANCE}
    assert {"output", "rollout[9]", "train.loss", "train_nodrop.loss"} <= names
    assert "n_params" not in names


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("n_params",), 52_371, "n_params"),
        (("flops_fvcore",), 13_916_161 + 1000, "flops_fvcore"),
        (("active_drop_modules",), {"a": 0.01, "b": 0.006}, "active_drop_modules"),
        (("train", "loss"), 0.1954, "train.loss"),
        (("output", "mean"), 0.1031, "output"),
        (("output", "shape"), [2, 4, 2, 24, 16], "output"),
    ],
)
def test_each_recorded_number_is_compared(path: tuple[str, ...], value: Any, named: str) -> None:
    """A replay that compares a value with itself would always pass."""
    changed = entry = record("simvp_gsta")
    for key in path[:-1]:
        entry = entry[key]
    entry[path[-1]] = value
    assert off(changed) == {named}


@pytest.mark.parametrize(
    "kwargs",
    [
        {"N_S": 3, "in_shape": [2, 1, 8, 16]},
        {"N_S": 5, "in_shape": [2, 1, 8, 16], "spatio_kernel_enc": 5, "act_inplace": True},
        {"drop": 0.3, "drop_path": 0.5, "in_shape": [2, 3, 10, 6], "N_S": 2},
        {"hid_T": 8, "in_shape": [2, 1, 4, 4]},
    ],
    ids=str,
)
def test_other_arguments_of_the_same_class_are_replayed_too(kwargs: dict[str, Any]) -> None:
    """Records with other arguments could not be replayed.

    The record is made from our own outputs. The test covers the replay, including drop rates that
    are active in ``train`` only; it does not compare numbers with upstream.
    """
    kwargs = {"hid_S": 4, "hid_T": 6, "N_T": 2, "mlp_ratio": 2.0, **kwargs}
    source = "chengtan9907/OpenSTL"
    match = interop.adapter_of(source, "SimVP_Model", kwargs)
    own = match.net.state_dict()
    made: dict[str, Any] = {
        "reference": {"repo": source},
        "class": "SimVP_Model",
        "kwargs": kwargs,
        "keys": {theirs: list(own[ours].shape) for theirs, ours in match.ours.items()},
        "left": [key for key in match.ours if key.endswith("num_batches_tracked")],
        "n_params": sum(p.numel() for p in match.net.parameters()),
        "inputs": [{"shape": [2, *kwargs["in_shape"]], "seed": 7}],
    }
    part = NetworkRecord(made)
    with torch.no_grad():
        out = part.build().net(part.inputs[0])
    flat = out.double().flatten().numpy()
    made["output"] = {
        "shape": list(out.shape),
        "mean": flat.mean(),
        "std": flat.std(),
        "l2": float(np.linalg.norm(flat)),
        "samples": {"stride": 3, "values": flat[::3].tolist()},
    }
    no_drop = part.build().net.train()  # batch statistics, but nothing is dropped
    for module in no_drop.modules():
        if isinstance(module, DropPath):
            module.prob = 0.0
        elif isinstance(module, nn.Dropout):
            module.p = 0.0
    for name, mode, output in (("train", "eval", out), ("train_nodrop", "train", None)):
        output = no_drop(part.inputs[0]) if output is None else output
        loss = output.square().mean().item()
        made[name] = {"mode": mode, "loss": loss, "grad_l2": {}}
    assert made["train"]["loss"] != made["train_nodrop"]["loss"]
    assert off(made) == set()


@pytest.mark.slow
def test_gradients_that_consist_of_rounding_are_not_compared() -> None:
    """A norm that is zero in theory differs between machines."""
    changed = record("simvp_minimal_model")
    key, *_ = changed["train"]["grad_l2"]
    changed["train"]["grad_l2"][key] *= 1 + 1e-4
    assert off(changed) == {f"train.grad_l2[{key}]"}
    changed["train"]["grad_l2"]["dec.readout.weight"] = 1e9
    assert f"train.grad_l2[{key}]" not in off(changed)


def test_weights_follow_the_recorded_distribution() -> None:
    """No record could be reproduced with other weights."""
    assert recipe.fill("a.running_var", [1000]).min() >= 1
    assert recipe.fill("a.bias", [1000]).std().item() == pytest.approx(0.1, rel=0.1)
    assert recipe.fill("a.weight", [1000]).mean().item() == pytest.approx(1, rel=0.1)
    assert recipe.fill("bias_ih_l0", [1000]).mean().item() == pytest.approx(1, rel=0.1)
    assert recipe.fill("a.bias", [100, 16]).std().item() == pytest.approx(1 / 4, rel=0.1)


def test_a_difference_is_relative_to_the_scale() -> None:
    """Errors of nets with small outputs would not be detected."""
    values = torch.tensor([0.0, 0.01, -0.02, 0.01])
    recorded = {
        "shape": [4],
        "mean": 0.0,
        "std": values.double().std(correction=0).item(),
        "l2": values.double().norm().item(),
        "samples": {"stride": 1, "values": values.tolist()},
    }
    assert distance("x", values, recorded).error < 1e-7
    assert distance("x", values + 2e-5, recorded).error == pytest.approx(1e-3, rel=1e-3)


def test_the_exit_status_is_1_if_any_quantity_is_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Jobs that only read the status would miss an error."""
    good = replay.GOLDEN / "simvp_minimal_temporal_attention.json"
    wrong = copy.deepcopy(record(good.stem))
    wrong["n_params"] += 1
    wrong_file, foreign = tmp_path / "wrong.json", tmp_path / "foreign.json"
    wrong_file.write_text(json.dumps(wrong))
    foreign.write_text(json.dumps({**wrong, "class": "Unknown"}))

    assert replay.main([str(good)]) == 0
    assert replay.main([str(good), str(wrong_file)]) == 1
    assert "wrong.json: n_params: 4.6e-04 off" in capsys.readouterr().out
    assert replay.main([str(good), str(foreign)]) == 0
    assert "foreign.json: not built" in capsys.readouterr().out
    assert replay.main([str(good), str(foreign), "--strict"]) == 1
    with pytest.raises(SystemExit, match="2"):
        replay.main([str(tmp_path / "absent.json")])
    assert "there is no" in capsys.readouterr().err


def test_a_nan_is_off() -> None:
    """A comparison with NaN is always false, so NaN could pass."""
    part = NetworkRecord(record("simvp_minimal_temporal_attention"))
    part.weights["proj_1.bias"][0] = math.nan
    assert not all(q.error <= replay.TOLERANCE for q in part.replay())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"class": "metric x", "reference": {"repo": "a/OpenSTL"}, "cases": [{}]}, "KeyError"),
        ({"class": "metric x", "reference": {"repo": "a/OpenSTL"}, "cases": []}, "it has none"),
        ({"class": "calc_mse", "reference": {"repo": "a/simvp_minimal"}, "cases": 3}, "TypeError"),
        ([1, 2], "AttributeError"),
    ],
)
def test_a_record_that_cannot_be_replayed_is_one_line(
    change: Any, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One record of another form would end the replay of all."""
    strange, foreign = tmp_path / "strange.json", tmp_path / "foreign.json"
    strange.write_text(json.dumps(change))
    foreign.write_text(json.dumps({"class": "Unknown"}))
    assert replay.main([str(strange), str(foreign)]) == 1
    first, second, total = capsys.readouterr().out.splitlines()
    assert first.startswith("strange.json: not replayed after 0 quantities (")
    assert reason in first
    assert second.startswith("foreign.json: not built")
    assert total == "files: 0 ok, 0 off, 1 not built, 1 not replayed"


def test_recorded_sizes_of_published_configs_are_met() -> None:
    """A net at its published size would have other layers than the reference."""
    sizes = record("full_size_params")
    group = sizes["groups"]["OpenSTL"]
    names = ("configs/taxibj/ConvLSTM", "configs/taxibj/SimVP", "configs/taxibj/MAU")
    models = {name: group["models"][name] for name in names}
    few = {"what": "", "groups": {"OpenSTL": {**group, "models": models}}}
    assert [q.error for q in replay.quantities(few)] == [0, 0, None]
    models["configs/taxibj/SimVP"] = {**models["configs/taxibj/SimVP"], "n_params": 9_961_000}
    assert next(q for q in replay.quantities(few) if "SimVP" in q.name).error > 0
