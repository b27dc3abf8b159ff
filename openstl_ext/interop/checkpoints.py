"""Load checkpoint files of other systems without running code from them."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from openstl_ext.checkpoint_file import check_archive
from openstl_ext.errors import CheckpointError
from openstl_ext.interop.state_dict_adapter import NoAdapterError, adapter_of
from openstl_ext.weight_names import weights_in, without_wrappers

# Classes that Lightning stores next to the weights and that are safe to construct.
HARMLESS: list[Any] = [
    Namespace,
    (dict, "pytorch_lightning.utilities.parsing.AttributeDict"),
    (dict, "lightning.pytorch.utilities.parsing.AttributeDict"),
    (dict, "lightning_fabric.utilities.data.AttributeDict"),
    (dict, "lightning.fabric.utilities.data.AttributeDict"),
]


@dataclass(frozen=True)
class Found:
    """Class and constructor arguments inferred from weights.

    Args:
        source: Repository of the class.
        cls: Name of the class there.
        kwargs: Arguments as spelled there.
        open: Arguments of our net that cannot be inferred, with placeholders for the user.
        under: Prefix of the net's weights, if the file contains other weights as well.
    """

    source: str
    cls: str
    kwargs: Mapping[str, Any]
    open: Mapping[str, Any] = field(default_factory=dict)
    under: str = ""


Recognise = Callable[[Mapping[str, Tensor]], Found | None]
_READERS: list[tuple[Recognise, tuple[str, ...]]] = []


def recognises(*sources: str) -> Callable[[Recognise], Recognise]:
    """Register a function that infers class and arguments from weights of some repositories."""

    def register(recognise: Recognise) -> Recognise:
        _READERS.append((recognise, sources))
        return recognise

    return register


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """Load weights from a state dict, a checkpoint with optimiser state, or one of Lightning.

    Args:
        path: A ``.pth`` or ``.ckpt`` file.

    Returns:
        Weights under the names of the net, without the prefixes of wrappers.

    Raises:
        CheckpointError: If the file is missing, damaged, could run code, or contains no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint at {path}")
    try:
        check_archive(path, verify=True)
        with torch.serialization.safe_globals(HARMLESS):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # torch raises different exceptions for damaged files
        raise CheckpointError(_reason(path, error)) from error
    return without_wrappers(weights_in(state, path))


def convert(path: Path | str, source: str | None = None) -> dict[str, Any]:
    """Convert a checkpoint of another system to one of ours.

    Args:
        path: File to read.
        source: Repository of the file, such as ``openstl``; None tries all.

    Returns:
        ``state_dict`` with the weights of a method around the net, and ``meta`` with their source
        and the ``net`` of a config that can load them.

    Raises:
        CheckpointError: If the file cannot be read, or weights are missing.
        NoAdapterError: If there is no adapter for the class of the weights.
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
        f"the weights in {path} fit no adapter{' of ' + source if source else ''}; its first keys "
        f"are {', '.join(list(weights)[:3])}"
    )


def _reason(path: Path, error: Exception) -> str:
    try:
        strange = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # not a file of torch
        first = str(error).partition("\n")[0]
        return (
            f"{path} cannot be read ({type(error).__name__}: {first}); it is damaged, "
            "so copy or download it again"
        )
    allowed = {name[1] if isinstance(name, tuple) else "argparse.Namespace" for name in HARMLESS}
    strange = sorted(set(strange) - allowed)
    return (
        f"{path} contains more than weights and plain values: {', '.join(strange)}. Loading them "
        "could run code; if you trust the file, save its weights alone: "
        "torch.save(torch.load(FILE, weights_only=False)['state_dict'], OUT)"
    )
