"""FLOPs of a scan, reported separately: published tables omit them, as their counters do."""

from typing import Any

from openstl_ext.ops.selective_scan.operator import NAME

OPERATORS = (NAME, "prim::PythonOp.SelectiveScanFn")
"""Names of the scan in a trace: this one and that of mamba_ssm, which have the same arguments."""


def scan_flops(
    *, batch: int, length: int, channels: int, num_states: int, skip: bool = False, gate: int = 0
) -> int:
    """Count the floating-point operations of one forward scan, multiplications plus additions.

    The usual figure is ``9 B L D N``: two for the decay ``exp(dt A)``, three for the input
    ``dt B u``, two for the step ``a h + x`` and two for the read-out ``sum C h``; plus ``B L D``
    each for the skip and the gate. Softplus and bias are not counted. The result cannot be added
    to tables of multiply-adds and belongs in a separate column.

    Args:
        batch: B.
        length: L, positions in one sequence.
        channels: D, sum over all directions.
        num_states: N.
        skip: Whether there is a D term.
        gate: Channels of the gate z; 0 for no gate.

    Source:
        state-spaces/mamba issue 110.
    """
    recurrence = 9 * batch * length * channels * num_states
    return recurrence + batch * length * (channels * skip + gate)


def scan_flop_handle(inputs: list[Any], outputs: list[Any]) -> int:  # noqa: ARG001
    """Count the operations of a node of a trace; fvcore calls it for each of ``OPERATORS``."""
    shapes = [_shape(value) for value in inputs[:7]]
    u, delta, a, _, _, skip, gate = shapes
    assert u is not None
    assert delta is not None
    assert a is not None
    batch, channels, length = delta
    return scan_flops(
        batch=batch,
        length=length,
        channels=channels,
        num_states=a[1],
        skip=skip is not None,
        gate=u[1] if gate is not None else 0,
    )


def _shape(value: Any) -> list[int] | None:
    """Return the shape of a traced tensor, or None for an argument that was not given."""
    return list(value.type().sizes()) if value.isCompleteTensor() else None
