"""Conversion of checkpoint files of ConvLSTM and VMRNN, in all their forms."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext import interop
from openstl_ext.registry import MODELS
from tests.parity import recipe, replay

NETS = (
    "convlstm_basic",
    "convlstm_reverse_ln",
    "vmrnn_b_patch4",
    "vmrnn_d_default_droppath",
    "vmrnn_mmnist_b",
    "vmrnn_mmnist_d",
)


def saved(name: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Save the weights of a record as a bare state dict or as a checkpoint of many GPUs."""
    record = json.loads((replay.GOLDEN / f"{name}.json").read_text())
    weights = recipe.weights(record)
    if "mmnist" not in name:
        weights = {f"module.{key}": value for key, value in weights.items()}
    rest = {"epoch": 3, "optimizer": {"state": {}}, "scheduler": {"last_epoch": 3}}
    path = folder / f"{name}.pth"
    torch.save(weights if "mmnist" in name else {"state_dict": weights, **rest}, path)
    return path, record


@pytest.mark.parametrize("name", NETS)
def test_the_converted_net_equals_the_one_built_from_its_arguments(
    name: str, tmp_path: Path
) -> None:
    """Users could not convert a net without its training config."""
    path, record = saved(name, tmp_path)
    converted = interop.convert(path)
    weights = {k.removeprefix("net."): v for k, v in converted["state_dict"].items()}
    net = MODELS.build(converted["meta"]["net"])
    net.load_state_dict(weights, strict=True)

    source, kwargs = record["reference"]["repo"], record["kwargs"]
    known = interop.load(source, record["class"], kwargs, recipe.weights(record))
    shape = record["kwargs"].get("configs", {}).get("in_shape", [3, 1, 16, 16])[1:]
    frame = torch.rand(1, *shape)
    with torch.no_grad():
        ours, _ = net.eval()(frame, None)
        theirs, _ = known.eval()(frame, None)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_the_depths_of_the_decoder_are_reversed() -> None:
    """Upstream's "6,2" has two blocks at the coarsest map."""
    kwargs = {
        "depths_downsample": "1,2",
        "depths_upsample": "3,1",
        "configs": {"in_shape": [4, 1, 16, 16], "embed_dim": 16, "patch_size": 2},
    }
    net = interop.adapter_of("yyyujintang/VMRNN-PyTorch", "VMRNN_D_Model", kwargs).net
    assert [len(cell.blocks) for cell in net.down_cells] == [1, 2]
    assert [len(cell.blocks) for cell in net.up_cells] == [1, 3]
    assert [cell.blocks[0].norm.normalized_shape for cell in net.up_cells] == [(64,), (32,)]
