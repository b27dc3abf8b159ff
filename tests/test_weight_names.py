"""State dicts that wrappers and other systems saved load into the same net."""

import copy
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from openstl_ext.engine import checkpoint
from openstl_ext.errors import CheckpointError
from openstl_ext.weight_names import fitted, weights_in, without_wrappers


class Method(nn.Module):
    """Net below ``net``, and a buffer beside it."""

    def __init__(self, *, has_statistics: bool = False) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 2)))
        self.data_preprocessor = nn.Module()
        if has_statistics:
            self.data_preprocessor.register_buffer("mean", torch.ones(1))


class Wrapper(nn.Module):
    """Module with one part of a given name."""

    def __init__(self, name: str, part: nn.Module) -> None:
        super().__init__()
        self.add_module(name, part)


def prefixed(prefix: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in weights.items()}


def with_compiled_net(method: nn.Module) -> dict[str, Tensor]:
    method = copy.deepcopy(method)
    method.net = torch.compile(method.net)
    return method.state_dict()


FORMS: dict[str, Any] = {
    "as saved": lambda m: {"state_dict": m.state_dict(), "meta": {}},
    "bare": lambda m: m.state_dict(),
    "DDP": lambda m: nn.DataParallel(m).state_dict(),
    "compiled": lambda m: torch.compile(m).state_dict(),
    "compiled DDP": lambda m: torch.compile(nn.DataParallel(m)).state_dict(),
    "DDP of compiled": lambda m: nn.DataParallel(torch.compile(m)).state_dict(),
    "compiled net": with_compiled_net,
    "DDP of a compiled net": lambda m: prefixed("module.", with_compiled_net(m)),
    "Lightning, model": lambda m: {
        "state_dict": Wrapper("model", m).state_dict(),
        "epoch": 3,
        "optimizer_states": [],
    },
    "Lightning, method": lambda m: {"state_dict": Wrapper("method", m).state_dict()},
    "Lightning, net": lambda m: {"state_dict": Wrapper("net", m.net).state_dict()},
    "two wrappers": lambda m: prefixed("model.module.", m.state_dict()),
    "averages of torch": lambda m: AveragedModel(m).state_dict(),
    "averages of mmengine": lambda m: {
        "ema_state_dict": {**prefixed("module.", m.state_dict()), "steps": torch.tensor(3)}
    },
    "model_state_dict": lambda m: {"model_state_dict": m.state_dict(), "epoch": 1},
    "model": lambda m: {"model": m.state_dict(), "optimizer": {}},
    "nested": lambda m: {"state_dict": {"model": {"module": m.state_dict()}}},
    "bare net": lambda m: m.net.state_dict(),
    "bare net under DDP": lambda m: {"state_dict": nn.DataParallel(m.net).state_dict()},
    "bare net, compiled": lambda m: torch.compile(m.net).state_dict(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_wrapped_state_dict_loads(
    form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Users could not use weights that they trained in another way."""
    source, method = Method(), Method()
    torch.save(FORMS[form](source), tmp_path / "x.pth")
    with caplog.at_level(logging.WARNING, logger="openstl_ext"):
        saved = checkpoint.read_for(method, tmp_path / "x.pth")
    checkpoint.load_weights(method, saved["state_dict"])
    for name, value in source.state_dict().items():
        assert torch.equal(method.state_dict()[name], value)
    stored = weights_in(torch.load(tmp_path / "x.pth", weights_only=True), "x")
    is_changed = stored.keys() != method.state_dict().keys()
    assert len(caplog.records) == is_changed
    if is_changed:
        assert "is read as net." in caplog.text


def test_weights_load_into_a_compiled_net() -> None:
    """A checkpoint would fit only the net that was compiled in the same way."""
    weights, method = Method().state_dict(), Method()
    method.net = torch.compile(method.net)  # type: ignore[assignment]
    checkpoint.load_weights(method, fitted(weights, method.state_dict().keys(), "x"))


def test_statistics_that_a_bare_net_lacks_are_named(tmp_path: Path) -> None:
    """The data would be normalised by other statistics than those of the training."""
    torch.save(Method().net.state_dict(), tmp_path / "x.pth")
    method = Method(has_statistics=True)
    saved = checkpoint.read_for(method, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"Method; missing: data_preprocessor.mean; use"):
        checkpoint.load_weights(method, saved["state_dict"])


def test_a_prefix_that_belongs_to_the_net_is_kept() -> None:
    """Weights of a net with a part named ``module`` would not load."""
    net = Wrapper("module", nn.Linear(2, 2))
    assert fitted(net.state_dict(), net.state_dict().keys(), "x").keys() == net.state_dict().keys()
    assert without_wrappers(nn.Linear(2, 2).state_dict()).keys() == {"weight", "bias"}
    wrapped = AveragedModel(torch.compile(nn.Linear(2, 2))).state_dict()
    assert without_wrappers(wrapped).keys() == {"weight", "bias"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({0: torch.zeros(1)}, "the key 0 of its state dict is a int, expected the name"),
        ({"state_dict": {(1, 2): torch.zeros(1)}}, r"the key \(1, 2\) .* is a tuple"),
        ({torch.zeros(1): torch.zeros(1)}, "the key .* is a Tensor"),
        ({"state_dict": {"w": 3}}, "contains no weights: 'w' is a int, not a tensor"),
        ({"epoch": 3}, "contains no weights"),
        ({}, "contains no weights"),
        ({"state_dict": []}, "contains no weights"),
    ],
)
def test_a_file_without_weights_is_one_sentence(content: Any, message: str, tmp_path: Path) -> None:
    """The user would see a traceback."""
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=message) as caught:
        checkpoint.read_for(Method(), tmp_path / "x.pth")
    assert "\n" not in str(caught.value)


def test_a_content_that_contains_itself_ends() -> None:
    """A crafted file would hang the command."""
    content: dict[str, Any] = {}
    content["state_dict"] = content
    with pytest.raises(CheckpointError, match="contains no weights"):
        weights_in(content, "x")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.zeros(1).expand(1 << 20, 1 << 20), r"has weights of .* bytes that share 4;"),
        (torch.zeros(9, 9).to_sparse(), "'w' is a sparse tensor or has no values"),
        (torch.zeros(1 << 20, 1 << 20, device="meta"), "'w' is a sparse tensor or has no values"),
    ],
    ids=["repeated", "sparse", "meta"],
)
def test_weights_larger_than_their_file_are_refused(
    value: Tensor, message: str, tmp_path: Path
) -> None:
    """The net of a small file would fill the memory."""
    torch.save({"w": value}, tmp_path / "x.pth")
    assert (tmp_path / "x.pth").stat().st_size < 10_000
    with pytest.raises(CheckpointError, match=message):
        checkpoint.read_for(Method(), tmp_path / "x.pth")


@pytest.mark.parametrize(
    "value", [torch.zeros(3, 2).to_sparse(), torch.zeros(3, 2, device="meta")], ids=str
)
def test_tensors_that_cannot_be_copied_are_one_sentence(value: Tensor) -> None:
    """The user would see a traceback."""
    method = nn.Linear(2, 3)
    weights = {**method.state_dict(), "weight": value}
    with pytest.raises(CheckpointError, match="the weights cannot be loaded"):
        checkpoint.load_weights(method, weights)
    with pytest.raises(CheckpointError, match=r"wrong type: weight: torch.int64 is not"):
        checkpoint.load_weights(method, {**weights, "weight": torch.zeros(3, 2).long()})
