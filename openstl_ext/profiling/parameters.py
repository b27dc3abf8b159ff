"""How many weights a method has, and where most of them are."""

from torch import nn


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
