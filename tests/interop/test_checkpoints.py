"""Conversion of checkpoint files of other systems."""

import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from openstl_ext import interop
from openstl_ext.errors import CheckpointError
from openstl_ext.registry import MODELS

KWARGS: dict[str, Any] = {
    "in_shape": (3, 2, 8, 12),
    "hid_S": 4,
    "hid_T": 6,
    "N_S": 4,
    "N_T": 3,
    "mlp_ratio": 2.5,
    "spatio_kernel_enc": 5,
}


def published(source: str = "openstl", **changes: Any) -> tuple[dict[str, Tensor], torch.nn.Module]:
    """Return weights under the names of the reference, and our net with the same weights."""
    torch.manual_seed(0)
    match = interop.adapter_of(source, "SimVP_Model", {**KWARGS, **changes})
    state = match.net.state_dict()
    return {theirs: state[ours] for ours, theirs in match.theirs.items()}, match.net.eval()


def bare(weights: dict[str, Tensor]) -> Any:
    return weights


def with_optimizer_state(weights: dict[str, Tensor]) -> Any:
    return {"epoch": 3, "optimizer": {"state": {}}, "state_dict": weights, "scheduler": {}}


def of_lightning(weights: dict[str, Tensor]) -> Any:
    prefixed = {f"model.{key}": value for key, value in weights.items()}
    extra = {"args": Namespace(lr=1e-3), "in_shape": [3, 2, 8, 12]}
    return {"state_dict": prefixed, "hyper_parameters": extra, "pytorch-lightning_version": "1.9"}


def of_averages(weights: dict[str, Tensor]) -> Any:
    prefixed = {f"module._orig_mod.{key}": value for key, value in weights.items()}
    return {**prefixed, "n_averaged": torch.tensor(3)}


def of_many_gpus(weights: dict[str, Tensor]) -> Any:
    return {"state_dict": {f"module.{key}": value for key, value in weights.items()}}


FORMS = [bare, with_optimizer_state, of_lightning, of_many_gpus, of_averages]


@pytest.mark.parametrize("key", [0, (1, 2), None], ids=str)
def test_a_key_that_is_no_name_is_one_sentence(key: Any, tmp_path: Path) -> None:
    """The user would see a traceback."""
    torch.save({key: torch.zeros(1)}, tmp_path / "theirs.pth")
    with pytest.raises(CheckpointError, match=r"theirs.pth: the key .* expected the name of a"):
        interop.convert(tmp_path / "theirs.pth")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_file_gives_the_same_net(form: Any, tmp_path: Path) -> None:
    """Users could not load files that another program wrote."""
    weights, net = published()
    torch.save(form(weights), tmp_path / "theirs.ckpt")
    state = interop.convert(tmp_path / "theirs.ckpt")
    assert state["meta"]["converted_from"]["class"] == "SimVP_Model"

    config = {**state["meta"]["net"], "in_shape": KWARGS["in_shape"]}
    ours = MODELS.build(config).eval()
    ours.load_state_dict({k.removeprefix("net."): v for k, v in state["state_dict"].items()})
    frames = torch.rand(2, *KWARGS["in_shape"])
    torch.testing.assert_close(ours(frames), net(frames), rtol=0, atol=0)


def test_output_channels_are_inferred_from_the_weights(tmp_path: Path) -> None:
    """Weights of simvp_minimal with other output channels could not be converted."""
    weights, _ = published("simvp_minimal", C_out=1)
    torch.save(weights, tmp_path / "simvp_model.pth")
    state = interop.convert(tmp_path / "simvp_model.pth")
    assert state["meta"]["net"]["out_channels"] == 1
    assert state["meta"]["net"]["in_shape"] == (
        3,
        2,
        "H",
        "W",
    )  # height and width cannot be inferred


def test_a_converted_checkpoint_loads_with_weights_only(tmp_path: Path) -> None:
    """The test tool, which loads with weights only, would reject it."""
    weights, _ = published()
    torch.save(weights, tmp_path / "theirs.pth")
    torch.save(interop.convert(tmp_path / "theirs.pth"), tmp_path / "ours.pth")
    state = torch.load(tmp_path / "ours.pth", weights_only=True)
    assert all(key.startswith("net.") for key in state["state_dict"])


def test_containers_of_lightning_load_without_lightning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints of Lightning could not be read without it."""
    name = "pytorch_lightning.utilities.parsing"
    weights, _ = published()
    with monkeypatch.context() as patched:
        for part in ("pytorch_lightning", "pytorch_lightning.utilities", name):
            patched.setitem(sys.modules, part, ModuleType(part))
        attribute_dict = type("AttributeDict", (dict,), {"__module__": name})
        patched.setattr(sys.modules[name], "AttributeDict", attribute_dict, raising=False)
        state = {"state_dict": weights, "hyper_parameters": attribute_dict(lr=1)}
        torch.save(state, tmp_path / "last.ckpt")
    assert interop.read_weights(tmp_path / "last.ckpt").keys() == weights.keys()


def test_a_file_that_could_run_code_is_rejected_and_the_class_named(tmp_path: Path) -> None:
    """Loading a downloaded checkpoint could run any program."""
    weights, _ = published()
    torch.save({"state_dict": weights, "hook": print}, tmp_path / "evil.ckpt")
    with pytest.raises(CheckpointError, match=r"print.*could run code"):
        interop.read_weights(tmp_path / "evil.ckpt")


def test_damaged_missing_and_unknown_files_have_different_errors(tmp_path: Path) -> None:
    """Users could not see which remedy applies."""
    weights, _ = published()
    torch.save(weights, tmp_path / "complete.pth")
    data = (tmp_path / "complete.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(data[: len(data) // 2])
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    torch.save({"some.weight": torch.zeros(2)}, tmp_path / "foreign.pth")
    for name, message in (
        ("nowhere.pth", "no checkpoint at"),
        ("cut.pth", "cannot be read"),
        ("empty.pth", "contains no weights"),
    ):
        with pytest.raises(CheckpointError, match=message):
            interop.convert(tmp_path / name)
    with pytest.raises(interop.NoAdapterError, match=r"some\.weight"):
        interop.convert(tmp_path / "foreign.pth")
    with pytest.raises(interop.NoAdapterError, match="of vmrnn"):
        interop.convert(tmp_path / "foreign.pth", source="vmrnn")


def test_another_translator_is_not_converted_as_gsta(tmp_path: Path) -> None:
    """TAU's weights, which differ in one shape only, would be loaded into the wrong net."""
    weights, _ = published()
    key = "hid.enc.0.block.attn.spatial_gating_unit.conv1.weight"
    weights[key] = weights[key].chunk(2)[0].clone()
    torch.save(weights, tmp_path / "tau.pth")
    with pytest.raises(interop.NoAdapterError, match="another translator"):
        interop.convert(tmp_path / "tau.pth")


@pytest.mark.parametrize("ratio", [3.3, 2.5, 1.7, 8.0, 3.14159])
@pytest.mark.parametrize("width", [4, 6, 64])
def test_any_ratio_of_the_feed_forward_layers_is_converted(
    ratio: float, width: int, tmp_path: Path
) -> None:
    """Nets with another ratio than a whole number would be refused."""
    weights, net = published(mlp_ratio=ratio, hid_T=width)
    torch.save(weights, tmp_path / "theirs.pth")
    found = interop.convert(tmp_path / "theirs.pth", stated={"in_shape": KWARGS["in_shape"]})
    assert found["meta"]["net"]["in_shape"] == KWARGS["in_shape"]
    ours = MODELS.build(found["meta"]["net"]).eval()
    ours.load_state_dict({k.removeprefix("net."): v for k, v in found["state_dict"].items()})
    frames = torch.rand(1, *KWARGS["in_shape"])
    torch.testing.assert_close(ours(frames), net(frames), rtol=0, atol=0)


def test_the_hyper_parameters_of_simvp_are_read(tmp_path: Path) -> None:
    """Users would have to know what the file contains; another translator would be unnoticed."""
    weights, _ = published(mlp_ratio=3.3)
    state = {f"model.{key}": value for key, value in weights.items()}
    for model_type in ("gSTA", None, "tau"):
        arguments = {"in_shape": [3, 2, 8, 12], "mlp_ratio": 3.3, "model_type": model_type}
        torch.save({"state_dict": state, "hyper_parameters": arguments}, tmp_path / "best.ckpt")
        if model_type == "tau":
            with pytest.raises(interop.NoAdapterError, match="tau"):
                interop.convert(tmp_path / "best.ckpt")
            continue
        net = interop.convert(tmp_path / "best.ckpt")["meta"]["net"]
        assert (net["in_shape"], net["mlp_ratio"]) == ((3, 2, 8, 12), 3.3)


def test_objects_among_the_arrays_of_a_file_are_rejected(tmp_path: Path) -> None:
    """An array of objects could hold more than numbers."""
    weights, _ = published()
    arrays = np.array([1, print], dtype=object)
    torch.save({"state_dict": weights, "hyper_parameters": {"a": arrays}}, tmp_path / "evil.ckpt")
    with pytest.raises(CheckpointError, match=r"print.*could run code"):
        interop.read_weights(tmp_path / "evil.ckpt")


@pytest.mark.parametrize(
    "wrong",
    [
        {"patch_size": "4"},
        {"num_heads": [8]},
        {"in_shape": (3, 2, 8)},
        {"in_shape": (3, 2, "H", 8)},
    ],
    ids=str,
)
def test_a_size_that_is_no_whole_number_is_named(wrong: dict[str, Any], tmp_path: Path) -> None:
    """Users would see a traceback, for a word on the command line or in a file."""
    weights, _ = published()
    path = tmp_path / "theirs.ckpt"
    torch.save({"state_dict": weights, "hyper_parameters": wrong}, path)
    with pytest.raises(CheckpointError, match=f"{next(iter(wrong))}=.* must be"):
        interop.convert(path)
    torch.save(weights, path)
    with pytest.raises(CheckpointError, match=f"{next(iter(wrong))}=.* must be"):
        interop.convert(path, stated=wrong)
