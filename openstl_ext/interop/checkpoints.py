"""Load checkpoint files of other systems without running code from them."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from openstl_ext.checkpoint_file import SAFETENSORS, absent, check_archive, read_safetensors
from openstl_ext.errors import CheckpointError
from openstl_ext.interop.state_dict_adapter import NoAdapterError, StateDictAdapter, adapter_of
from openstl_ext.weight_names import weights_in, without_wrappers

LIGHTNING_MODULES = (
    "pytorch_lightning.utilities.parsing",
    "lightning.pytorch.utilities.parsing",
    "lightning_fabric.utilities.data",
    "lightning.fabric.utilities.data",
)
NUMPY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")  # before and since NumPy 2
# the functions that NumPy itself names in a pickle of an array and of a single number
_MAKE_ARRAY, _MAKE_SCALAR = np.empty(0).__reduce__()[0], np.float64().__reduce__()[0]
# Classes that Lightning stores next to the weights and that are safe to construct. Arrays are
# statistics of data, which OpenSTL counts among its hyper-parameters.
HARMLESS: list[Any] = [
    (Namespace, "argparse.Namespace"),
    *((dict, f"{module}.AttributeDict") for module in LIGHTNING_MODULES),
    *((_MAKE_ARRAY, f"{module}._reconstruct") for module in NUMPY_MODULES),
    *((_MAKE_SCALAR, f"{module}.scalar") for module in NUMPY_MODULES),
    *((np.ndarray, "numpy.ndarray"), (np.dtype, "numpy.dtype")),
    *(
        (kind, f"numpy.dtypes.{kind.__name__}")
        for kind in map(type, map(np.dtype, "?bhilqBHILQefd"))
    ),
]
COUNTS = (
    *("patch_size", "in_channels", "num_steps", "num_heads", "stride"),
    *("static_channels", "dynamic_channels", "num_static_channels", "num_dynamic_channels"),
)
"""Arguments of a file or of the user that are whole numbers."""
Form = Literal["lightning", "runner", "bare"]
OWN_METADATA = "openstl_ext"
"""Entry of the metadata of an exported file: arguments of its net that weights do not show."""


@dataclass(frozen=True)
class ForeignFile:
    """Content of a checkpoint file of another system.

    Args:
        path: The file.
        weights: Weights under the names of the net, without the prefixes of wrappers.
        form: ``lightning`` for a file of Lightning, ``runner`` for epoch, optimizer, state_dict and
            scheduler (``latest.pth`` of OpenSTL 0.3 and its forks), ``bare`` for weights alone.
        arguments: Arguments of the other system that the file contains, as spelled there.
        stated: Arguments of our net that the user states.
        source: Repository that the user states.
    """

    path: Path
    weights: Mapping[str, Tensor]
    form: Form = "bare"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    stated: Mapping[str, Any] = field(default_factory=dict)
    source: str | None = None

    def is_of(self, *sources: str) -> bool:
        """Return whether the file can be of one of these repositories."""
        given = self.source
        return given is None or any(name.lower().endswith(given.lower()) for name in sources)

    def demand(self, name: str, possible: str) -> Any:
        """Return an argument that the user states.

        Raises:
            CheckpointError: If the user does not state it.
        """
        if name in self.stated:
            return self.stated[name]
        raise CheckpointError(
            f"{self.path} does not show `{name}` of its net, which is {possible}; add --net "
            f"{name}=VALUE, or --config with a config of the net"
            + (" (embed: --num-heads VALUE)" if name == "num_heads" else "")
        )


@dataclass(frozen=True)
class Found:
    """Class and constructor arguments of the net in a file.

    Args:
        source: Repository of the class.
        cls: Name of the class there.
        kwargs: Arguments as spelled there.
        ours: Arguments of our net that have no counterpart there or replace it; placeholders of
            those that the file does not contain.
        under: Prefix of the net's weights, if the file contains other weights as well.
        adapter: Adapter of an entire method; None for that of the class, which is a net.
        method: Arguments of that method, for a config.
    """

    source: str
    cls: str
    kwargs: Mapping[str, Any]
    ours: Mapping[str, Any] = field(default_factory=dict)
    under: str = ""
    adapter: StateDictAdapter | None = None
    method: Mapping[str, Any] = field(default_factory=dict)


Recognise = Callable[[ForeignFile], Found | None]
_READERS: list[tuple[Recognise, tuple[str, ...]]] = []


def recognises(*sources: str) -> Callable[[Recognise], Recognise]:
    """Register a function that infers class and arguments from a file of some repositories."""

    def register(recognise: Recognise) -> Recognise:
        _READERS.append((recognise, sources))
        return recognise

    return register


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """Load weights from a state dict, a checkpoint with optimiser state, or one of Lightning.

    Args:
        path: A ``.pth``, ``.ckpt`` or ``.safetensors`` file.

    Returns:
        Weights under the names of the net, without the prefixes of wrappers.

    Raises:
        CheckpointError: If the file is missing, damaged, could run code, or contains no weights.
    """
    return dict(read_file(path).weights)


def read_file(path: Path | str) -> ForeignFile:
    """Load weights as ``read_weights`` does, with the form and the arguments of the file."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(absent(path))
    if path.suffix.lower() == SAFETENSORS:
        weights, metadata = read_safetensors(path)
        own = {key: value for key, value in metadata.items() if key == OWN_METADATA}
        return ForeignFile(path, without_wrappers(weights_in(weights, path)), arguments=own)
    try:
        check_archive(path, verify=True)
        with torch.serialization.safe_globals(HARMLESS):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # torch raises different exceptions for damaged files
        raise CheckpointError(_reason(path, error)) from error
    weights = weights_in(state, path)
    arguments = state.get("hyper_parameters")
    if isinstance(arguments, Namespace):
        arguments = vars(arguments)
    return ForeignFile(
        path,
        without_wrappers(weights),
        _form(state, weights),
        arguments if isinstance(arguments, Mapping) else {},
    )


def _form(state: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Form:
    """Return the form of a file; a LightningModule of OpenSTL holds its net as ``model``."""
    marks = {"hyper_parameters", "pytorch-lightning_version", "optimizer_states"}
    if marks & state.keys() or any(key.startswith("model.") for key in weights):
        return "lightning"
    return "runner" if {"epoch", "optimizer", "scheduler"} <= state.keys() else "bare"


def convert(
    path: Path | str, source: str | None = None, *, stated: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Convert a checkpoint of another system to one of ours.

    Args:
        path: File to read.
        source: Repository of the file, such as ``openstl``; None tries all.
        stated: Arguments of our net, for those that the file does not contain.

    Returns:
        ``state_dict`` with the weights of a method around the net, and ``meta`` with their source
        and the ``net`` of a config that can load them; also the ``method``, if the file has weights
        of its own for it, such as those of a head.

    Raises:
        CheckpointError: If the file cannot be read, weights are missing, or the file does not show
            an argument that changes the forecasts, and it is not stated.
        NoAdapterError: If there is no adapter for the class of the weights.
    """
    file = replace(read_file(path), source=source, stated=dict(stated or {}))
    for arguments in (file.arguments, file.stated):
        _check_numbers(arguments, file.path)
    found = _recognised(file)
    match = found.adapter or adapter_of(found.source, found.cls, found.kwargs)
    own = {
        k.removeprefix(found.under): v for k, v in file.weights.items() if k.startswith(found.under)
    }
    try:
        loaded = match.load(own)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    state, net = loaded.state_dict(), loaded
    if found.adapter is None:
        state = {f"net.{key}": value for key, value in state.items()}
    else:
        net = loaded.get_submodule("net")
    meta: dict[str, Any] = {
        "converted_from": {"source": found.source, "class": found.cls, "file": Path(path).name},
        "net": {"type": type(net).__name__, **match.arguments, **found.ours},
    }
    if found.method:
        meta["method"] = dict(found.method)
    return {"state_dict": state, "meta": meta}


def _check_numbers(arguments: Mapping[str, Any], path: Path) -> None:
    """Reject a size that is no whole number, from a file or from the user.

    Raises:
        CheckpointError: With the name and the value.
    """
    sizes = [(name, arguments[name]) for name in COUNTS if name in arguments]
    shape = arguments.get("in_shape", (1, 1, 1, 1))
    if not isinstance(shape, list | tuple) or len(shape) != 4:
        raise CheckpointError(f"in_shape={shape!r} of {path} must be (frames, channels, H, W)")
    for name, value in [*sizes, *(("in_shape", side) for side in shape)]:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise CheckpointError(f"{name}={value!r} of {path} must be a whole number")


def _recognised(file: ForeignFile) -> Found:
    for recognise, sources in _READERS:
        if file.is_of(*sources) and (found := recognise(file)) is not None:
            return found
    raise NoAdapterError(
        f"the weights in {file.path} fit no adapter{' of ' + file.source if file.source else ''}; "
        f"its first keys are {', '.join(list(file.weights)[:3])}"
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
    strange = sorted(set(strange) - {name for _, name in HARMLESS})
    return (
        f"{path} contains more than weights and plain values: {', '.join(strange)}. Loading them "
        "could run code; if you trust the file, save its weights alone: "
        "torch.save(torch.load(FILE, weights_only=False)['state_dict'], OUT)"
    )
