"""Cases for comparisons of scans: every option of the call, and errors relative to scale."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

BATCH, CHANNELS, LENGTH, STATES, GROUPS = 2, 6, 37, 5, 3
OPTIONS = ("D", "z", "delta_bias")
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "skip": {"options": ("D",)},
    "gate": {"options": ("z",)},
    "bias": {"options": ("delta_bias",)},
    "softplus": {"delta_softplus": True},
    "last state": {"return_last_state": True},
    "all": {"options": OPTIONS, "delta_softplus": True, "return_last_state": True},
    "all, grouped": {
        **{"options": OPTIONS, "delta_softplus": True, "return_last_state": True},
        "weights": "grouped",
    },
    "constant weights": {"options": OPTIONS, "delta_softplus": True, "weights": "constant"},
    "one constant weight": {"weights": "mixed"},
    "one position": {"options": OPTIONS, "length": 1, "return_last_state": True},
    "one complete chunk": {"options": OPTIONS, "length": 16, "return_last_state": True},
    "one channel, one state": {"channels": 1, "states": 1, "return_last_state": True},
    "many channels": {"channels": 42, "states": 16, "weights": "grouped"},
    "large steps": {"scale": 20.0, "delta_softplus": True, "options": OPTIONS},
}


def drawn(
    *,
    options: tuple[str, ...] = (),
    weights: str = "shared",
    batch: int = BATCH,
    channels: int = CHANNELS,
    length: int = LENGTH,
    states: int = STATES,
    scale: float = 1.0,
    **settings: bool,
) -> tuple[dict[str, Tensor], dict[str, bool]]:
    """Draw the tensors of a call, in float64, and return them with its settings.

    Step sizes are positive, because the state would grow without limit otherwise.
    """
    draw = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64)

    varying = (batch, states, length)
    shapes = {
        "shared": (varying, varying),
        "grouped": ((batch, GROUPS, states, length),) * 2,
        "constant": ((channels, states),) * 2,
        "mixed": ((channels, states), varying),
    }[weights]
    tensors = {
        "u": normal(batch, channels, length),
        "delta": scale * (0.1 + normal(batch, channels, length).abs()),
        "A": -0.1 - normal(channels, states).abs(),
        "B": normal(*shapes[0]),
        "C": normal(*shapes[1]),
        "D": normal(channels),
        "z": normal(batch, channels, length),
        "delta_bias": 0.1 * normal(channels).abs(),
    }
    unused = set(OPTIONS) - set(options)
    return {name: t for name, t in tensors.items() if name not in unused}, settings


def outputs_and_gradients(
    function: Callable[..., Any], tensors: dict[str, Tensor], dtype: torch.dtype, **settings: Any
) -> dict[str, Tensor]:
    """Return all outputs of a call and the gradients of all its tensors."""
    leaves = {k: t.to(dtype).clone().requires_grad_() for k, t in tensors.items()}
    result = function(**leaves, **settings)
    outputs = result if isinstance(result, tuple) else (result,)
    weights = [torch.cos(torch.arange(o.numel()).double()).to(o.device, dtype) for o in outputs]
    total = sum((o.to(dtype).flatten() * w).sum() for o, w in zip(outputs, weights, strict=True))
    grads = torch.autograd.grad(total, list(leaves.values()))
    named = {f"gradient of {k}": g for k, g in zip(leaves, grads, strict=True)}
    return {k: t.detach() for k, t in {**dict(enumerate(outputs)), **named}.items()}


def error(ours: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Return the largest difference of any tensor, relative to its largest value."""
    assert ours.keys() == expected.keys()
    relative = []
    for name, value in expected.items():
        assert ours[name].shape == value.shape, name
        scale = value.double().abs().max().clamp_min(1e-30)
        relative.append(((ours[name].double() - value.double()).abs().max() / scale).item())
        assert relative[-1] == relative[-1], f"{name} is NaN"
    return max(relative)
