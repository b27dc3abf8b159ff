"""Conversion of checkpoint files of ConvLSTM and VMRNN, in all their forms."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from openstl_ext import interop
from openstl_ext.errors import CheckpointError
from openstl_ext.layers.convlstm import Memory
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
    configs = record["kwargs"].get("configs", {})
    stated = {"cell": "corrected", "patch_size": configs.get("patch_size")}
    converted = interop.convert(path, stated=stated if "convlstm" in name else None)
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


CONVLSTM: dict[str, Any] = {
    "num_hidden": [4, 4],
    "configs": {"in_shape": [4, 1, 16, 16], "filter_size": 3, "patch_size": 2, "layer_norm": False},
}
OPENSTL_0_3, VMRNN = "chengtan9907/OpenSTL@0a0f36c", "yyyujintang/VMRNN-PyTorch"


def convlstm_weights(**configs: Any) -> dict[str, torch.Tensor]:
    """Return random weights of OpenSTL's ConvLSTM under its names; both cells have the same."""
    kwargs = {**CONVLSTM, "configs": {**CONVLSTM["configs"], **configs}}
    match = interop.adapter_of("openstl", "ConvLSTM_Model", kwargs)
    return {key: torch.randn_like(v) for key, v in match.split(match.net.state_dict()).items()}


RUNNER = {"epoch": 3, "optimizer": {}, "scheduler": {}}
LIGHTNING = {"pytorch-lightning_version": "2.1", "optimizer_states": []}


@pytest.mark.parametrize(
    ("prefix", "rest", "cell"),
    [
        ("", RUNNER, "published_tables"),
        ("module.", RUNNER, "published_tables"),
        ("model.", LIGHTNING, "corrected"),
        ("model.module.", LIGHTNING, "corrected"),
        ("model.", {}, "corrected"),
    ],
)
def test_the_form_of_a_file_shows_the_cell_of_its_convlstm(
    prefix: str, rest: dict[str, Any], cell: str, tmp_path: Path
) -> None:
    """Forecasts would be those of another net, with an error of half of their size."""
    weights = {prefix + key: value for key, value in convlstm_weights().items()}
    torch.save({"state_dict": weights, **rest}, tmp_path / "latest.pth")
    net = interop.convert(tmp_path / "latest.pth", stated={"patch_size": 2})["meta"]["net"]
    assert net["cell"] == cell


def test_bare_weights_of_a_convlstm_need_a_stated_cell(tmp_path: Path) -> None:
    """Weights of OpenSTL 0.3 would be loaded into the cell of version 1, or the reverse."""
    path = tmp_path / "checkpoint.pth"
    weights = convlstm_weights()
    torch.save(weights, path)
    frame = torch.rand(2, 1, 16, 16)
    outputs = {}
    with pytest.raises(CheckpointError, match="--cell published_tables"):
        interop.convert(path, stated={"patch_size": 2})
    for cell, source in (("published_tables", OPENSTL_0_3), ("corrected", "openstl")):
        meta = interop.convert(path, stated={"patch_size": 2, "cell": cell})["meta"]
        assert meta["net"]["cell"] == cell
        net = interop.load(source, "ConvLSTM_Model", CONVLSTM, weights)
        with torch.no_grad():
            outputs[cell] = net(frame, None)[0]
    assert not torch.allclose(outputs["corrected"], outputs["published_tables"], rtol=0.1)
    meta = interop.convert(path, "vmrnn-pytorch", stated={"patch_size": 2})["meta"]
    assert meta["net"]["cell"] == "published_tables"
    with pytest.raises(CheckpointError, match="must be one of"):
        interop.convert(path, stated={"patch_size": 2, "cell": "old"})


def test_the_cell_of_version_0_3_and_its_fork_outputs_the_new_gate() -> None:
    """Published weights would give other forecasts than in their code."""
    kwargs = {"in_channel": 2, "num_hidden": 3, "height": 4, "width": 4, "filter_size": 3}
    x, hidden, kept = torch.rand(1, 2, 4, 4), torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)
    for source in (OPENSTL_0_3, VMRNN):
        cell = interop.adapter_of(source, "ConvLSTMCell", kwargs).net
        gates = cell.gates(x, hidden)
        _, _, new, out = gates.chunk(4, dim=1)
        output, _ = cell(x, Memory(hidden, kept))
        torch.testing.assert_close(output, out.sigmoid() * new.tanh())


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"patch_size": 2}, (12, 2)),
        ({"in_channels": 3}, (3, 4)),
        ({"patch_size": 1}, (48, 1)),
    ],
)
def test_the_shape_of_a_convlstm_is_stated_or_demanded(
    stated: dict[str, int], expected: tuple[int, int], tmp_path: Path
) -> None:
    """Weather nets of 12 channels and patches of 2 would be built for 3 channels."""
    path = tmp_path / "latest.pth"
    torch.save({"state_dict": convlstm_weights(in_shape=[4, 12, 16, 16]), **RUNNER}, path)
    with pytest.raises(CheckpointError, match=r"2 with 12 channels, 4 with 3 channels; add --net"):
        interop.convert(path)
    net = interop.convert(path, stated=stated)["meta"]["net"]
    assert (net["in_channels"], net["patch_size"]) == expected


@pytest.mark.parametrize("stated", [{"patch_size": 3}, {"in_channels": 5}, {"patch_size": "2"}])
def test_a_stated_shape_that_does_not_fit_is_rejected(
    stated: dict[str, Any], tmp_path: Path
) -> None:
    """A net of other channels would be built without a message."""
    path = tmp_path / "latest.pth"
    torch.save({"state_dict": convlstm_weights(in_shape=[4, 12, 16, 16]), **RUNNER}, path)
    with pytest.raises(CheckpointError, match=r"does not fit|must be a whole number"):
        interop.convert(path, stated=stated)


@pytest.mark.parametrize("container", [dict, Namespace])
def test_the_hyper_parameters_of_lightning_show_the_shape(container: Any, tmp_path: Path) -> None:
    """Users would have to know what the file contains."""
    weights = convlstm_weights(in_shape=[4, 12, 16, 16])
    arguments = container(
        in_shape=[4, 12, 16, 16], patch_size=2, test_mean=np.zeros((1, 12, 1, 1), np.float32)
    )
    path = tmp_path / "best.ckpt"
    state = {f"model.{key}": value for key, value in weights.items()}
    torch.save({"state_dict": state, "hyper_parameters": arguments}, path)
    net = interop.convert(path)["meta"]["net"]
    assert (net["in_channels"], net["patch_size"], net["cell"]) == (12, 2, "corrected")
