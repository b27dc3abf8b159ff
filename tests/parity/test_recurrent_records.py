"""Replay the records of ConvLSTM, VMRNN, Mamba and their parts."""

import json
import math
from functools import cache
from typing import Any

import pytest

from openstl_ext import interop
from tests.parity import replay
from tests.parity.network_record import NetworkRecord

NAMES = (
    "convlstm_basic",
    "convlstm_reverse_ln",
    "vmrnn_b_patch2",
    "vmrnn_b_patch4",
    "vmrnn_cell",
    "vmrnn_d",
    "vmrnn_d_default_droppath",
    "vmrnn_mmnist_b",
    "vmrnn_mmnist_b_patch4",
    "vmrnn_mmnist_d",
    "vmrnn_ss2d",
    "vmrnn_ss2d_small",
    "vmrnn_vsb",
    "vmrnn_vsb_default_norm",
    "mamba_block",
    "openstl_cells",
    "reshape_patch",
    "scheduled_sampling",
)
HEAVY = (
    "vmrnn_d",
    "vmrnn_d_default_droppath",
    "vmrnn_mmnist_d",
    "vmrnn_b_patch4",
    "vmrnn_mmnist_b",
)
CASES = [pytest.param(n, marks=pytest.mark.slow) if n in HEAVY else n for n in NAMES]


def record(name: str) -> dict[str, Any]:
    return json.loads((replay.GOLDEN / f"{name}.json").read_text())


@cache
def errors(name: str) -> dict[str, float | None]:
    """Return the error of every quantity of a record, cached because it takes seconds."""
    return {q.name: q.error for q in replay.quantities(record(name))}


@pytest.mark.parametrize("name", CASES)
def test_every_recorded_quantity_is_met(name: str) -> None:
    """The net would not be the published one."""
    built = [error for error in errors(name).values() if error is not None]
    assert built
    assert not any(math.isnan(error) for error in built)
    assert max(built) <= replay.TOLERANCE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("convlstm_basic", {"output", "extra.returned_loss", "method_forward.output"}),
        ("convlstm_reverse_ln", {"output", "method_forward.output", "flops_fvcore"}),
        pytest.param(
            "vmrnn_d_default_droppath",
            {"output", "extra.returned_loss", "active_drop_modules"},
            marks=pytest.mark.slow,
        ),
        ("vmrnn_cell", {"output", "extra.Ct", "output_no_state.Ht", "output_no_state.Ct"}),
        ("vmrnn_vsb", {"output", "output_hx_none.output"}),
        ("vmrnn_ss2d", {"output", "forward_core.output"}),
        pytest.param(
            "vmrnn_mmnist_d",
            {"flops_scan_excluded.flops_fvcore_without_scan", "train.loss"},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_replay_covers_what_is_recorded_besides_the_output(name: str, expected: set[str]) -> None:
    """A quantity that is not compared could have any value."""
    assert expected <= errors(name).keys()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("convlstm_basic", "cell_list.1.conv_h.0.weight"),
        ("vmrnn_ss2d_small", "dt_projs_bias"),
    ],
)
def test_a_wrong_weight_is_detected(name: str, key: str) -> None:
    """A wrong part of a concatenated weight would not be detected."""
    part = NetworkRecord(record(name))
    part.weights[key] = part.weights[key] + 0.1
    off = {q.name for q in part.replay() if not (q.error or 0.0) <= replay.TOLERANCE}
    assert "output" in off
    assert "n_params" not in off


def test_cells_without_an_adapter_are_reported_without_an_error() -> None:
    """A missing adapter would count as a wrong value, or as a right one."""
    assert errors("openstl_cells")["ConvLSTMCell_ln1.outputs[1]"] <= replay.TOLERANCE
    changed = record("openstl_cells")
    changed["cells"]["Fancy"] = {**changed["cells"]["GHU_ln0"], "class": "FancyCell"}
    assert {q.name: q.error for q in replay.quantities(changed)}["Fancy"] is None


def test_errors_name_weights_as_the_reference_spells_them() -> None:
    """Users could not find a wrong weight in their file."""
    recorded = record("convlstm_basic")
    part = NetworkRecord(recorded)
    weights = dict(part.weights)
    weights["cell_list.0.conv_h.0.weight"] = weights["cell_list.0.conv_h.0.weight"][:, :4]
    del weights["cell_list.1.conv_x.0.weight"]
    source = recorded["reference"]["repo"]
    with pytest.raises(Exception, match=r"missing: cell_list\.1\.conv_x.*conv_h\.0\.weight \("):
        interop.load(source, recorded["class"], recorded["kwargs"], weights)
