"""What a method costs, in one record and in words."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.profiling.flops import CONVENTION, count_flops
from openstl_ext.profiling.speed import frames_per_second


def count_parameters(method: nn.Module, *, trainable: bool = False) -> int:
    """Number of weights; shared ones count once.

    Args:
        method: Anything with parameters.
        trainable: Count only those that training changes.
    """
    weights = method.parameters()
    return sum(w.numel() for w in weights if w.requires_grad or not trainable)


def largest_layer(method: nn.Module) -> dict[str, str | int] | None:
    """The one layer that holds more than half of all weights.

    Where there is one, the size of a method says how that layer was chosen and little else.

    Args:
        method: Anything with parameters.

    Returns:
        Its ``name`` and ``type``, and its own ``num_parameters``; None where no layer holds half.
    """
    total = count_parameters(method)
    for name, layer in method.named_modules():
        own = sum(w.numel() for w in layer.parameters(recurse=False))
        if 2 * own > total:
            return {"name": name, "type": type(layer).__name__, "num_parameters": own}
    return None


COUNTED = {"frames": "forecast frames", "labels": "labelled samples"}


def profile(
    method: Any, inputs: Mapping[str, Tensor], horizon: int, *, batch_size: int = 1
) -> dict[str, Any]:
    """Parameters, FLOPs of one sample, and frames per second of a batch.

    The method is left as it is: copies in eval mode are measured, on the device of the method.

    Args:
        method: The method, not wrapped for many processes.
        inputs: One batch of inputs in data units; its first sample is repeated.
        horizon: Number of future frames, the protocol's; where the answer is labels, any.
        batch_size: Samples in the batch that is timed.

    Returns:
        ``num_parameters``, ``largest_layer`` if one holds more than half of them, ``flops`` (and
        ``flops_<column>`` of handles that asked for one), ``uncounted`` operators,
        ``frames_per_second``, ``device``, ``dtype`` and ``batch_size``; and ``answer``, frames or
        labels: of labels, the speed is samples per second.

    Raises:
        ConfigError: If the method predicts nothing.
    """
    check_predicts(method)
    weight = next(method.parameters(), torch.zeros(()))
    inputs = {"seed": torch.zeros(1, dtype=torch.int64), **inputs}
    one = _normalized(method, {name: value[:1] for name, value in inputs.items()})
    many = {name: value.expand(batch_size, *value.shape[1:]) for name, value in one.items()}
    flops = count_flops(method, one, horizon)
    device = weight.device
    return {
        "num_parameters": count_parameters(method),
        "largest_layer": largest_layer(method),
        "flops": flops.total,
        **{f"flops_{name}": count for name, count in flops.columns.items()},
        "uncounted": list(flops.uncounted),
        "frames_per_second": frames_per_second(
            method, {name: value.contiguous() for name, value in many.items()}, horizon
        ),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "dtype": str(weight.dtype).removeprefix("torch."),
        "batch_size": batch_size,
        "answer": method.answers,
    }


def check_predicts(method: Any) -> None:
    """Raise a ConfigError for a method with a loss only."""
    if method.answers is None:
        raise ConfigError(
            f"{type(method).__name__} has a loss only and predicts nothing, so there is no "
            "forecast to profile"
        )


def _normalized(method: nn.Module, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inputs as the net sees them, on the device of the method."""
    border = getattr(method, "data_preprocessor", None)
    return border({"inputs": inputs})["inputs"] if border is not None else inputs


def in_words(profiled: Mapping[str, Any]) -> str:
    """The record of `profile` as lines for a terminal."""
    rows = [
        ("parameters", f"{profiled['num_parameters'] / 1e6:.2f} M"),
        *_of_which(profiled),
        ("FLOPs", f"{_giga(profiled['flops'])} a sample ({CONVENTION})"),
        *(
            (f"FLOPs, {name.removeprefix('flops_')}", f"{_giga(value)} a sample")
            for name, value in profiled.items()
            if name.startswith("flops_")
        ),
        ("not counted", ", ".join(profiled["uncounted"]) or "nothing"),
        (
            "speed",
            f"{profiled['frames_per_second']:.1f} {COUNTED[profiled['answer']]} a second "
            f"({profiled['device']}, {profiled['dtype']}, batch of {profiled['batch_size']})",
        ),
    ]
    return "\n".join(f"{name:<12} {value}" for name, value in rows)


def _of_which(profiled: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The line of the layer that holds more than half of the weights, if one does."""
    layer = profiled["largest_layer"]
    if layer is None:
        return []
    share = layer["num_parameters"] / profiled["num_parameters"]
    size = f"{layer['num_parameters'] / 1e6:.2f} M"
    return [("of which", f"{size} ({share:.0%}) in {layer['name']}, one {layer['type']}")]


def _giga(flops: float) -> str:
    return f"{flops / 1e9:.2f} G" if flops >= 1e7 else f"{flops / 1e6:.3f} M"
