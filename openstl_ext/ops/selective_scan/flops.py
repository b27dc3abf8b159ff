"""What a scan costs, counted apart: published tables leave it out, as their counters skip it."""

from typing import Any

from openstl_ext.ops.selective_scan.operator import NAME

OPERATORS = (NAME, "prim::PythonOp.SelectiveScanFn")
"""Names of the scan in a trace: ours, and that of mamba_ssm, whose first arguments are the same."""


def scan_flops(
    *, batch: int, length: int, channels: int, num_states: int, skip: bool = False, gate: int = 0
) -> int:
    """Floating-point operations of one forward scan, each multiplication and addition for itself.

    The usual figure: ``9 B L D N``, which is two for the decay ``exp(dt A)``, three for the input
    ``dt B u``, two for the step ``a h + x`` and two for the read-out ``sum C h``; then ``B L D``
    for the skip and as much for the gate. Softplus and bias are not counted. Tables whose unit is
    the multiply-add do not compare with it: show it in a column of its own.

    Args:
        batch: B.
        length: L, positions in one sequence.
        channels: D, of all directions together.
        num_states: N.
        skip: Whether there is a D term.
        gate: Channels of the gate z; 0 if there is none.

    Source:
        state-spaces/mamba issue 110.
    """
    recurrence = 9 * batch * length * channels * num_states
    return recurrence + batch * length * (channels * skip + gate)


def scan_flop_handle(inputs: list[Any], outputs: list[Any]) -> int:  # noqa: ARG001
    """The same for a node of a trace, as fvcore calls it for each of ``OPERATORS``."""
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
    """Shape of a traced tensor; None for an argument that was not given."""
    return list(value.type().sizes()) if value.isCompleteTensor() else None
