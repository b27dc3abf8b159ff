"""Cost of a method: parameters, FLOPs and speed, as a record and as text."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.profiling.flops import CONVENTION, count_flops
from openstl_ext.profiling.speed import time_prediction


def count_parameters(method: nn.Module, *, trainable: bool = False) -> int:
    """Count the parameters; shared ones count once.

    Args:
        method: A module.
        trainable: Count only parameters with a gradient.
    """
    weights = method.parameters()
    return sum(w.numel() for w in weights if w.requires_grad or not trainable)


def largest_layer(method: nn.Module) -> dict[str, str | int] | None:
    """Return the layer that has more than half of all parameters.

    Such a layer dominates the size of a method, so a table that compares sizes should show it.

    Args:
        method: A module.

    Returns:
        ``name``, ``type`` and own ``num_parameters`` of the layer; None if no layer has half.
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
    """Measure parameters, FLOPs and latency of one sample, and frames per second of a batch.

    Copies in eval mode are measured on the device of the method, which does not change.

    Args:
        method: The method, not wrapped for several processes.
        inputs: One batch of inputs in data units; its first sample is repeated.
        horizon: Number of future frames of the protocol; not used for labels.
        batch_size: Number of samples in the timed batch.

    Returns:
        ``num_parameters``, ``largest_layer`` if one has more than half of them, ``flops`` (and
        ``flops_<column>`` of handles with a column), ``uncounted`` operators,
        ``frames_per_second`` (for labels, samples per second), ``latency`` (seconds of one
        prediction at batch size 1, the median of ``latency_calls`` calls), ``device``, ``dtype``,
        ``batch_size``, and ``answer``, which is frames or labels.

    Raises:
        ConfigError: If the method predicts nothing.
    """
    check_predicts(method)
    weight = next(method.parameters(), torch.zeros(()))
    inputs = {"seed": torch.zeros(1, dtype=torch.int64), **inputs}
    one = _normalized(method, {name: value[:1] for name, value in inputs.items()})
    many = {
        name: value.expand(batch_size, *value.shape[1:]).contiguous() for name, value in one.items()
    }
    flops = count_flops(method, one, horizon)
    batch = time_prediction(method, many, horizon)
    single = batch if batch_size == 1 else time_prediction(method, one, horizon, min_calls=1)
    answers = batch_size * horizon if method.answers == "frames" else batch_size
    device = weight.device
    return {
        "num_parameters": count_parameters(method),
        "largest_layer": largest_layer(method),
        "flops": flops.total,
        **{f"flops_{name}": count for name, count in flops.columns.items()},
        "uncounted": list(flops.uncounted),
        "frames_per_second": answers / batch.seconds,
        "latency": single.seconds,
        "latency_calls": single.calls,
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
    """Return normalised inputs on the device of the method."""
    preprocessor = getattr(method, "data_preprocessor", None)
    return inputs if preprocessor is None else preprocessor({"inputs": inputs})["inputs"]


def in_words(profiled: Mapping[str, Any]) -> str:
    """Return the record of `profile` as lines of text."""
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
        (
            "latency",
            f"{_short_time(profiled['latency'])} for one sample "
            f"(median of {profiled['latency_calls']} calls)",
        ),
    ]
    return "\n".join(f"{name:<12} {value}" for name, value in rows)


def _of_which(profiled: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the row of the layer that has more than half of the parameters, if any."""
    layer = profiled["largest_layer"]
    if layer is None:
        return []
    share = layer["num_parameters"] / profiled["num_parameters"]
    size = f"{layer['num_parameters'] / 1e6:.2f} M"
    return [("of which", f"{size} ({share:.0%}) in {layer['name']}, one {layer['type']}")]


def _giga(flops: float) -> str:
    return f"{flops / 1e9:.2f} G" if flops >= 1e7 else f"{flops / 1e6:.3f} M"


def _short_time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"
