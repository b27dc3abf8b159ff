"""Records of ConvLSTM, VMRNN, Mamba and what they are made of, replayed."""

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


def record(name: str) -> dict[str, Any]:
    return json.loads((replay.GOLDEN / f"{name}.json").read_text())


@cache
def errors(name: str) -> dict[str, float | None]:
    """Every quantity of a record; once, because it takes seconds."""
    return {q.name: q.error for q in replay.quantities(record(name))}


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_quantity_is_met(name: str) -> None:
    """If this fails, what we call by the published name is another thing."""
    built = [error for error in errors(name).values() if error is not None]
    assert built
    assert not any(math.isnan(error) for error in built)
    assert max(built) <= replay.TOLERANCE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("convlstm_basic", {"output", "extra.returned_loss", "method_forward.output"}),
        ("convlstm_reverse_ln", {"output", "method_forward.output", "flops_fvcore"}),
        ("vmrnn_d_default_droppath", {"output", "extra.returned_loss", "active_drop_modules"}),
        ("vmrnn_cell", {"output", "extra.Ct", "output_no_state.Ht", "output_no_state.Ct"}),
        ("vmrnn_vsb", {"output", "output_hx_none.output"}),
        ("vmrnn_ss2d", {"output", "forward_core.output"}),
        ("vmrnn_mmnist_d", {"flops_scan_excluded.flops_fvcore_without_scan", "train.loss"}),
    ],
)
def test_a_replay_covers_what_is_recorded_beside_the_output(name: str, expected: set[str]) -> None:
    """A quantity that nobody compares is green whatever it is."""
    assert expected <= errors(name).keys()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("convlstm_basic", "cell_list.1.conv_h.0.weight"),
        ("vmrnn_ss2d_small", "dt_projs_bias"),
    ],
)
def test_a_wrong_weight_is_seen(name: str, key: str) -> None:
    """Weights that are joined in ours must still be their own."""
    part = NetworkRecord(record(name))
    part.weights[key] = part.weights[key] + 0.1
    seen = {q.name for q in part.replay() if not (q.error or 0.0) <= replay.TOLERANCE}
    assert "output" in seen
    assert "n_params" not in seen


def test_cells_without_a_counterpart_are_named_and_fail_nothing() -> None:
    """What is not built is neither right nor wrong."""
    assert errors("openstl_cells")["ConvLSTMCell_ln1.outputs[1]"] <= replay.TOLERANCE
    changed = record("openstl_cells")
    changed["cells"]["Fancy"] = {**changed["cells"]["GHU_ln0"], "class": "FancyCell"}
    assert {q.name: q.error for q in replay.quantities(changed)}["Fancy"] is None


def test_weights_of_another_net_are_named() -> None:
    """A joined weight is complained about under the reference's names."""
    recorded = record("convlstm_basic")
    part = NetworkRecord(recorded)
    weights = dict(part.weights)
    weights["cell_list.0.conv_h.0.weight"] = weights["cell_list.0.conv_h.0.weight"][:, :4]
    del weights["cell_list.1.conv_x.0.weight"]
    source = recorded["reference"]["repo"]
    with pytest.raises(Exception, match=r"missing: cell_list\.1\.conv_x.*conv_h\.0\.weight \("):
        interop.load(source, recorded["class"], recorded["kwargs"], weights)
