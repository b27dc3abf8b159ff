"""Count the floating-point operations of one forecast, and list the operators not counted."""

import copy
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from fvcore.nn import FlopCountAnalysis
from fvcore.nn.jit_handles import get_shape
from torch import Tensor, nn

from openstl_ext.ops.selective_scan import OPERATORS, scan_flop_handle

CONVENTION = (
    "one multiply-add = 1; normalisation layers count as in fvcore, 1 or 2 a value for batch norm "
    "and 4 or 5 for others; other element-wise operators not counted"
)
"""What is counted. Published FLOPs were computed with fvcore, so they include its norms."""
MAIN = "flops"

Handle = Callable[[list[Any], list[Any]], int | float]


@dataclass(frozen=True)
class FlopCount:
    """Cost of one forecast.

    Args:
        total: Multiply-adds of the counted operators.
        columns: Multiply-adds that are reported separately, such as those of a scan, and are not
            in ``total``.
        uncounted: Number of calls of each operator without a handle.
    """

    total: int
    columns: dict[str, int]
    uncounted: dict[str, int]


_HANDLES: dict[str, tuple[Handle, str]] = {}


def register_flop_handle(operator: str, handle: Handle, *, column: str = MAIN) -> None:
    """Register how to count the multiply-adds of an operator.

    Args:
        operator: Its name in a trace: ``aten::fft_rfft2``, ``ns::op`` of a custom operator, or
            ``prim::PythonOp.ClassName`` of an autograd function.
        handle: Maps the traced inputs and outputs (``get_shape`` of fvcore reads their shapes) to
            multiply-adds.
        column: Name under which they are reported; by default they are part of the total.
    """
    _HANDLES[operator] = (handle, column)


def count_flops(
    method: nn.Module,
    inputs: Mapping[str, Tensor],
    horizon: int,
    *,
    unknown: Collection[str] = (),
) -> FlopCount:
    """Count the multiply-adds of ``method.forecast(inputs, horizon)`` on a copy in eval mode.

    The horizon is that of the protocol: a chained or recurrent forecast costs more than one pass.

    Args:
        method: The method. Its mode and its running statistics do not change.
        inputs: Normalised inputs with a batch axis; the count is that of the batch.
        horizon: Number of future frames.
        unknown: Operators whose handles are not used, to reproduce counts made without them.
    """
    tensors = {name: value for name, value in inputs.items() if isinstance(value, Tensor)}
    probe = _Forecast(copy.deepcopy(method).eval(), tuple(tensors), horizon)
    logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of each shape that Python reads
        analysis = FlopCountAnalysis(probe, tuple(tensors.values()))
        for operator, (handle, column) in _HANDLES.items():
            if operator in unknown:
                continue
            analysis.set_op_handle(operator, _in_column(handle, column))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        counted = analysis.by_operator()
        uncounted = dict(sorted(analysis.unsupported_ops().items()))
    names = {column for _, column in _HANDLES.values()} - {MAIN}
    columns = {name: int(counted[name]) for name in sorted(names) if name in counted}
    total = sum(value for name, value in counted.items() if name not in columns)
    return FlopCount(int(total), columns, uncounted)


class _Forecast(nn.Module):
    """Forecast as a function of tensors only, as a tracer needs it."""

    def __init__(self, method: Any, names: tuple[str, ...], horizon: int) -> None:
        super().__init__()
        self.method: Any = method
        self.names, self.horizon = names, horizon

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        inputs = dict(zip(self.names, tensors, strict=True))
        if self.method.answers != "frames":
            return (self.method.tensor(inputs),)
        fields = self.method.forecast(inputs, self.horizon)
        return tuple(fields.values())  # all, or their operators would not be traced


def _in_column(handle: Handle, column: str) -> Callable[[list[Any], list[Any]], Any]:
    return lambda inputs, outputs: Counter({column: handle(inputs, outputs)})


def _attention(inputs: list[Any], outputs: list[Any]) -> int:  # noqa: ARG001
    """Count attention: scores of each query with each key, then the weighted mean of the values.

    Shape:
        - query (..., L, E), key (..., S, E), value (..., S, V).
    """
    query, key, value = (get_shape(tensor) for tensor in inputs[:3])
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _batched_product(inputs: list[Any], outputs: list[Any]) -> int:  # noqa: ARG001
    """Count baddbmm: its second and third operand are (B, M, K) and (B, K, N)."""
    left, right = (get_shape(tensor) for tensor in inputs[1:3])
    return prod(left) * right[-1]


def _recurrent(inputs: list[Any], outputs: list[Any]) -> int:  # noqa: ARG001
    """Count a recurrent layer: each weight matrix of each layer and direction, once per token.

    Shape:
        - tokens (B, T, C); a list of states; a list of weights, of which only the matrices count.
    """
    weights = [get_shape(weight) for weight in inputs[2].node().inputs()]
    return prod(get_shape(inputs[0])[:-1]) * sum(prod(w) for w in weights if len(w) == 2)


register_flop_handle("aten::scaled_dot_product_attention", _attention)
for _operator in ("aten::gru", "aten::lstm"):
    register_flop_handle(_operator, _recurrent)
register_flop_handle("aten::baddbmm", _batched_product)
for _operator in ("aten::unflatten", "aten::pixel_shuffle", "aten::pixel_unshuffle"):
    register_flop_handle(_operator, lambda *_: 0)  # these move values only


# a separate column, because the counters of published tables skip the scan
for operator in OPERATORS:
    register_flop_handle(operator, scan_flop_handle, column="scan")
