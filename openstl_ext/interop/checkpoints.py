"""Checkpoint files of other systems, read without running anything from them."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from openstl_ext.errors import CheckpointError
from openstl_ext.interop.state_dict_adapter import NoAdapterError, adapter_of

# What Lightning keeps beside the weights and what is harmless to make.
HARMLESS: list[Any] = [
    Namespace,
    (dict, "pytorch_lightning.utilities.parsing.AttributeDict"),
    (dict, "lightning.pytorch.utilities.parsing.AttributeDict"),
    (dict, "lightning_fabric.utilities.data.AttributeDict"),
    (dict, "lightning.fabric.utilities.data.AttributeDict"),
]
WRAPPERS = ("module.", "model.", "_orig_mod.")


@dataclass(frozen=True)
class Found:
    """The class and the constructor arguments that weights were found to be of.

    Args:
        source: Repository that has the class.
        cls: Name of the class there.
        kwargs: Arguments as spelled there.
        open: Arguments of ours that leave no trace in weights, as a reader would fill them in.
        under: Prefix of the net's weights, where what trained it keeps others beside them.
    """

    source: str
    cls: str
    kwargs: Mapping[str, Any]
    open: Mapping[str, Any] = field(default_factory=dict)
    under: str = ""


Recognise = Callable[[Mapping[str, Tensor]], Found | None]
_READERS: list[tuple[Recognise, tuple[str, ...]]] = []


def recognises(*sources: str) -> Callable[[Recognise], Recognise]:
    """Register what reads a class and its arguments off weights of some repositories."""

    def register(recognise: Recognise) -> Recognise:
        _READERS.append((recognise, sources))
        return recognise

    return register


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """The weights in a file: bare, beside the optimiser's state, or of Lightning.

    Args:
        path: A ``.pth`` or ``.ckpt`` file.

    Returns:
        Weights under the names that the net itself has, without those of what wrapped it.

    Raises:
        CheckpointError: If the file is missing, broken, would run code, or holds no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint at {path}")
    try:
        with torch.serialization.safe_globals(HARMLESS):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch has a different exception for each way to be broken
        raise CheckpointError(_why_not(path, error)) from error
    weights = state.get("state_dict", state) if isinstance(state, Mapping) else state
    tensors = isinstance(weights, Mapping) and all(isinstance(v, Tensor) for v in weights.values())
    if not tensors or not weights:
        raise CheckpointError(
            f"{path} holds no weights: neither a state dict nor a checkpoint with a `state_dict`"
        )
    return _unwrapped(weights)


def convert(path: Path | str, source: str | None = None) -> dict[str, Any]:
    """A checkpoint of another system as one of ours.

    Args:
        path: File to read.
        source: Repository it comes from, such as ``openstl``; without one, all are tried.

    Returns:
        ``state_dict`` with the weights of a method around the net, and ``meta`` that says where
        they are from and with which ``net`` a config would load them.

    Raises:
        CheckpointError: If the file cannot be read, or its weights are not whole.
        NoAdapterError: If they are of no class that is built here.
    """
    weights = read_weights(path)
    found = _recognised(weights, source, path)
    match = adapter_of(found.source, found.cls, found.kwargs)
    own = {k.removeprefix(found.under): v for k, v in weights.items() if k.startswith(found.under)}
    net = match.load(own)
    return {
        "state_dict": {f"net.{key}": value for key, value in net.state_dict().items()},
        "meta": {
            "converted_from": {
                "source": found.source,
                "class": found.cls,
                "file": Path(path).name,
            },
            "net": {"type": type(net).__name__, **match.arguments, **found.open},
        },
    }


def _recognised(weights: Mapping[str, Tensor], source: str | None, path: Path | str) -> Found:
    for recognise, sources in _READERS:
        if source is None or any(name.lower().endswith(source.lower()) for name in sources):
            found = recognise(weights)
            if found is not None:
                return found
    raise NoAdapterError(
        f"{path} holds weights of no net {'of ' + source + ' ' if source else ''}that is built "
        f"here; its first keys are {', '.join(list(weights)[:3])}"
    )


def _unwrapped(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights without the prefix that all of them carry, which is a wrapper's."""
    names = dict(weights)
    while prefix := next((p for p in WRAPPERS if all(k.startswith(p) for k in names)), None):
        names = {key.removeprefix(prefix): value for key, value in names.items()}
    return names


def _why_not(path: Path, error: Exception) -> str:
    try:
        strange = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # not a file of torch's at all
        first = str(error).partition("\n")[0]
        return f"{path} cannot be read ({type(error).__name__}: {first}); is it whole?"
    allowed = {name[1] if isinstance(name, tuple) else "argparse.Namespace" for name in HARMLESS}
    strange = sorted(set(strange) - allowed)
    return (
        f"{path} holds more than weights and plain values: {', '.join(strange)}. Loading these "
        "could run code, so they are refused; where the file was made and is trusted, save its "
        "weights alone: torch.save(torch.load(FILE, weights_only=False)['state_dict'], OUT)"
    )
