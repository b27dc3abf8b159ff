"""Find the weights of a net in a checkpoint file, whatever wrapped the net when it was saved."""

import logging
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from reprlib import repr as short
from typing import Any

import torch
from torch import Tensor

from openstl_ext.errors import CheckpointError

CONTAINERS = (
    *("state_dict", "model_state_dict", "model", "module", "net", "weights"),
    "ema_state_dict",  # last: where mmengine stores both, the averages are the ``state_dict``
)
"""Keys under which training systems store the weights."""
WRAPPERS = ("module.", "_orig_mod.", "model.")
"""Prefixes of DistributedDataParallel and averaged models, torch.compile, and Lightning."""
COUNTERS = ("n_averaged", "steps")
"""Counters that averaged models store beside the weights."""
COMPILED = "_orig_mod."
DEPTH = 4
SHARING = 8
"""Ratio of the bytes that weights take to those in their file; tied weights share theirs."""
SMALL_BYTES = 1 << 20

logger = logging.getLogger(__name__)


def weights_in(content: Any, path: Path | str) -> dict[str, Tensor]:
    """Return the state dict in the content of a checkpoint file.

    Raises:
        CheckpointError: If there is none, or it has a key that is no name or a value that is no
            tensor.
    """
    inside = content
    for _ in range(DEPTH):
        if not isinstance(inside, Mapping):
            break
        found = (inside[key] for key in CONTAINERS if key in inside)
        deeper = next((value for value in found if isinstance(value, Mapping)), None)
        if deeper is None:
            break
        inside = deeper
    if not isinstance(inside, Mapping) or not content:
        raise CheckpointError(
            f"{path} contains no weights: it must be a state dict or have a `state_dict`"
        )
    for key, value in inside.items():
        if not isinstance(key, str):
            raise CheckpointError(
                f"{path}: the key {short(key)} of its state dict is a {type(key).__name__}, "
                "expected the name of a weight; save model.state_dict()"
            )
        if not isinstance(value, Tensor):
            raise CheckpointError(
                f"{path} contains no weights: {short(key)} is a {type(value).__name__}, not a "
                "tensor; it must be a state dict or have a `state_dict`"
            )
    _check_memory(inside, path)
    return dict(inside)


def _check_memory(weights: Mapping[str, Tensor], path: Path | str) -> None:
    """Check that weights take about as much memory in a net as in their file.

    Raises:
        CheckpointError: If one has no values, or if elements share memory to a large extent.
    """
    for name, value in weights.items():
        if value.layout != torch.strided or value.device.type == "meta":
            raise CheckpointError(
                f"{path}: {short(name)} is a sparse tensor or has no values; save it as a dense one"
            )
    needed = sum(value.numel() * value.element_size() for value in weights.values())
    storages = [value.untyped_storage() for value in weights.values()]
    stored = sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())
    if needed > max(SMALL_BYTES, SHARING * stored):
        raise CheckpointError(
            f"{path} has weights of {needed:,} bytes that share {stored:,}; save a clone of each"
        )


def without_wrappers(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights without the prefixes of known wrappers that all names have."""
    names = {name: name for name in weights}
    while prefix := next((p for p in WRAPPERS if _all_start(names, p)), None):
        names = _stripped(names, prefix)
    return {name.replace(COMPILED, ""): weights[theirs] for name, theirs in names.items()}


def fitted(
    weights: Mapping[str, Tensor], own: Collection[str], path: Path | str
) -> dict[str, Tensor]:
    """Return weights under the names of a module, as far as their names differ by prefixes only.

    A prefix that all names have is removed, whatever it is; ``net.`` is added to the weights of a
    net alone; the wrapper of a compiled part is removed. What was done is logged.

    Args:
        weights: The state dict of a file.
        own: Names of the module's weights.
        path: The file, for the message.
    """
    plain = {name.replace(COMPILED, ""): name for name in own}
    best = {name: name for name in weights}
    if best.keys() != set(own):
        forms = _forms(list(weights), plain)
        best = max(forms, key=lambda form: (len(form.keys() & plain.keys()), -len(form)))
        best = {plain.get(name, name): theirs for name, theirs in best.items()}
    if changed := [(theirs, name) for name, theirs in best.items() if theirs != name]:
        theirs, name = changed[0]
        logger.warning("%s: %s is read as %s, and its other keys likewise", path, theirs, name)
    return {name: weights[theirs] for name, theirs in best.items()}


def _forms(names: list[str], own: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield possible names with those in the file, from the fewest changes to the most."""
    form = {name: name for name in names}
    while True:
        for changed in (
            form,
            {name.replace(COMPILED, ""): theirs for name, theirs in form.items()},
            {name.replace(COMPILED, "").replace("module.", ""): t for name, t in form.items()},
        ):
            yield changed
            if any(name.startswith("net.") for name in own):
                yield {f"net.{name}": theirs for name, theirs in changed.items()}
        first = next((name for name in form if name not in COUNTERS), "")
        prefix = first[: first.find(".") + 1]
        if not prefix or not _all_start(form, prefix):
            return
        form = _stripped(form, prefix)


def _all_start(names: Collection[str], prefix: str) -> bool:
    """Return whether all names but counters start with a prefix, and there is one."""
    weights = [name for name in names if name not in COUNTERS]
    return bool(weights) and all(name.startswith(prefix) for name in weights)


def _stripped(names: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return names without a prefix and without counters."""
    kept = {name: theirs for name, theirs in names.items() if name not in COUNTERS}
    return {name.removeprefix(prefix): theirs for name, theirs in kept.items()}
