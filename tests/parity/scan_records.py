"""Replay mamba_ssm's recorded selective scans with every backend that works on this CPU."""

import ast
import operator
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from openstl_ext.ops.selective_scan import BACKENDS, obstacle, selective_scan
from tests.parity.network_record import distance, relative
from tests.parity.quantity import Quantity

OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
}


def replay_selective_scan(record: Mapping[str, Any]) -> Iterator[Quantity]:
    """Yield output, last state, loss and all gradients of each case for each backend."""
    usable = [b for b in BACKENDS if obstacle(b, torch.device("cpu"), torch.float32) is None]
    for case in record["cases"]:
        for backend in usable:
            for quantity in _case(case, backend):
                yield Quantity(f"{case['case']}.{backend}.{quantity.name}", quantity.error)


def _case(case: Mapping[str, Any], backend: str) -> Iterator[Quantity]:
    arguments = {name: _drawn(recipe) for name, recipe in case["args"].items()}
    softplus = bool(case["delta_softplus"])
    output, last = selective_scan(
        **arguments, delta_softplus=softplus, return_last_state=True, backend=backend
    )
    loss = output.square().mean()
    yield distance("output", output, case["output"])
    yield distance("last_state", last, case["last_state"])
    yield relative("loss", loss.item(), case["loss"])
    names = list(case["grad"])
    grads = torch.autograd.grad(loss, [arguments[name] for name in names])
    for name, grad in zip(names, grads, strict=True):
        yield distance(f"grad.{name}", grad, case["grad"][name])


def _drawn(recipe: Mapping[str, Any]) -> Tensor:
    """Draw a leaf as the record describes it, such as ``-(0.5 + rand)``, in float32."""
    rand = np.random.RandomState(recipe["seed"]).rand(*recipe["shape"]).astype(np.float32)
    value = _evaluated(ast.parse(recipe["transform"], mode="eval").body, rand)
    return torch.from_numpy(np.asarray(value, dtype=np.float32)).requires_grad_()


def _evaluated(node: ast.expr, rand: np.ndarray) -> Any:
    """Evaluate arithmetic of numbers and ``rand`` only, because a record is data."""
    match node:
        case ast.Name(id="rand"):
            return rand
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(op=op, operand=only) if type(op) in OPERATIONS:
            return OPERATIONS[type(op)](_evaluated(only, rand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
            return OPERATIONS[type(op)](_evaluated(left, rand), _evaluated(right, rand))
    raise ValueError(f"not a transform of rand: {ast.unparse(node)}")
