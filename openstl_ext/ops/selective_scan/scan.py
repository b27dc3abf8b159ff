"""Selective scan with automatic selection of the backend."""

import torch
from torch import Tensor

from openstl_ext.ops.selective_scan import dispatch, mamba, operator
from openstl_ext.ops.selective_scan.operands import Prepared, prepared
from openstl_ext.ops.selective_scan.reference import reference_scan


def selective_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,  # noqa: N803
    B: Tensor,  # noqa: N803
    C: Tensor,  # noqa: N803
    D: Tensor | None = None,  # noqa: N803
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
    return_last_state: bool = False,
    *,
    backend: str | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Compute a linear recurrence whose step size and weights depend on the input.

    With ``dt = softplus(delta + delta_bias)`` (or without the softplus), for each channel

        h_t = exp(dt_t A) h_{t-1} + dt_t B_t u_t,    y_t = C_t . h_t,    out = (y + D u) silu(z)

    It is computed in float32, under autocast too, or in float64 if ``u`` is. All tensors get
    gradients, also from the last state. Names and shapes are those of mamba_ssm's
    ``selective_scan_fn``.

    Args:
        u: Input.
        delta: Step sizes, before bias and softplus.
        A: Decay rates, negative.
        B: Weights into the state: constant, shared by all channels, or by each group of channels.
        C: Weights out of the state, likewise.
        D: Weight of the skip.
        z: Gate.
        delta_bias: Added to the step sizes of each channel.
        delta_softplus: Whether softplus is applied to the step sizes.
        return_last_state: Whether to return the state after the last step as well.
        backend: ``native`` (C++ on CPUs, compiled when first used unless
            ``OPENSTL_EXT_NO_NATIVE=1``), ``stepwise`` (plain PyTorch, anywhere), ``triton`` or
            ``mamba_ssm`` (GPUs), ``reference`` (slow). Default: the value of the environment
            variable ``OPENSTL_EXT_SCAN_BACKEND``, else the first that works on the device of
            ``u``, in the order mamba_ssm, triton, native, stepwise; the choice is logged.

    Shape:
        - u, delta, z: (B, D, L); A: (D, N); D, delta_bias: (D,).
        - B, C: (D, N), (B, N, L) or (B, G, N, L), where channel d uses group ``d // (D / G)``.
        - returns: (B, D, L) in the float type of ``u``; last state (B, D, N).

    Raises:
        ShapeError: If shapes or types do not fit together.
        BackendError: If the requested backend does not exist or cannot run; it lists the others.

    Source:
        Gu and Dao (arXiv:2312.00752); state-spaces/mamba@e9594ce, selective_scan_interface.py.

    Deviations:
        Complex A is rejected. Upstream's CUDA version drops the gradient of the last state and is
        not deterministic; here it is selected only if neither matters.
    """
    tensors = prepared(u, delta, A, B, C, D, z, delta_bias)
    selected = backend
    if not torch.compiler.is_compiling():  # while compiling, the operator selects at run time
        exact = torch.are_deterministic_algorithms_enabled() or (
            return_last_state and torch.is_grad_enabled()
        )
        among = tuple(b for b in dispatch.BACKENDS if not (exact and b == "mamba_ssm"))
        selected = dispatch.choose(backend, u.device, tensors.u.dtype, among)
    out, last = scan_with(selected, tensors, delta_softplus)
    out = out.to(u.dtype)
    return (out, last) if return_last_state else out


def scan_with(
    backend: str | None,
    tensors: Prepared,
    delta_softplus: bool,
    order: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Compute output and last state of a scan along each direction, summed over directions.

    Args:
        backend: A name that ``choose`` returned; with None or ``auto`` the operator selects a
            kernel.
        tensors: Checked arguments of the scan.
        delta_softplus: As in ``selective_scan``.
        order: Positions in the order in which each direction visits them; only for kernels.

    Shape:
        - u, z: (B, Du, L); delta: (B, K * Du, L); order: (K, L); K = 1 without an order.
        - returns: (B, Du, L), summed over directions, and (B, D, N).
    """
    if backend in ("reference", "mamba_ssm"):
        function = reference_scan if backend == "reference" else mamba.scan
        with torch.autocast(tensors.u.device.type, enabled=False):
            return function(*tensors, delta_softplus=delta_softplus)
    needs_states = torch.is_grad_enabled() and any(
        tensor is not None and tensor.requires_grad for tensor in tensors
    )
    out, last, _, _ = operator.scan(
        *tensors, order, delta_softplus, needs_states, backend or dispatch.AUTO
    )
    return out, last
