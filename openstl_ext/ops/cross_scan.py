"""Selective scan over an image along rows and columns, in both directions."""

from functools import lru_cache

import torch
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.ops.selective_scan import dispatch
from openstl_ext.ops.selective_scan.operands import Prepared, prepared
from openstl_ext.ops.selective_scan.scan import scan_with

DIRECTIONS = 4
# In order of preference. On a GPU, mamba_ssm on four copies is faster than the loop of stepwise.
BACKENDS = ("triton", "native", "mamba_ssm", "stepwise", "reference")


def cross_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,  # noqa: N803
    B: Tensor,  # noqa: N803
    C: Tensor,  # noqa: N803
    D: Tensor | None = None,  # noqa: N803
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
    *,
    backend: str | None = None,
) -> Tensor:
    """Scan an image along four paths and sum the outputs at each pixel.

    The paths are rows from the top left, columns from the top left, and both reversed. Nothing is
    flipped, transposed or stacked: the kernels get the order in which each path visits the pixels.
    The projections to ``delta``, ``B`` and ``C`` act on single pixels, so they can be computed on
    the image with one matrix product for all paths.

    Args:
        u: Input, the same for all paths.
        delta: Step sizes of each path, before bias and softplus.
        A: Decay rates, path by path: row ``k * C + c``.
        B: Weights into the state, shared by the channels of a path.
        C: Weights out of the state, likewise.
        D: Weight of the skip, path by path; the four paths are summed.
        delta_bias: Added to the step sizes, path by path.
        delta_softplus: Whether softplus is applied to the step sizes.
        backend: As in ``selective_scan``; ``mamba_ssm`` and ``reference`` have no order of visits
            and get four copies.

    Shape:
        - u: (B, C, H, W); delta: (B, 4, C, H, W); A: (4 C, N); B, C: (B, 4, N, H, W);
          D, delta_bias: (4 C,).
        - returns: (B, C, H, W), in the float type of ``u``.

    Raises:
        ShapeError: If shapes or types do not fit together.
        BackendError: If the requested backend does not exist or cannot run.

    Source:
        Liu et al., VMamba (arXiv:2401.10166), SS2D; yyyujintang/VMRNN-PyTorch, vmamba.py.
    """
    if u.ndim != 4 or delta.shape != (len(u), DIRECTIONS, *u.shape[1:]):
        raise ShapeError(
            f"expected u (B, C, H, W) and delta (B, {DIRECTIONS}, C, H, W), "
            f"got {tuple(u.shape)} and {tuple(delta.shape)}"
        )
    height, width = u.shape[2:]
    maps = (u.flatten(2), delta.flatten(1, 2).flatten(2), A, B.flatten(3), C.flatten(3))
    tensors = prepared(*maps, D, None, delta_bias)
    order = (visiting_order if _is_traced(u) else _cached_order)(height, width, device=u.device)
    selected = backend
    if not torch.compiler.is_compiling():  # while compiling, the operator selects at run time
        deterministic = torch.are_deterministic_algorithms_enabled()
        among = tuple(b for b in BACKENDS if not (deterministic and b == "mamba_ssm"))
        selected = dispatch.choose(backend, u.device, tensors.u.dtype, among)
    if selected in ("reference", "mamba_ssm"):
        out = _on_copies(selected, tensors, delta_softplus, order)
    else:
        out, _ = scan_with(selected, tensors, delta_softplus, order)
    return out.to(u.dtype).unflatten(2, (height, width))


@lru_cache(maxsize=32)
def _cached_order(height: int, width: int, *, device: torch.device) -> Tensor:
    """Return `visiting_order` from a cache: a forecast needs it for each block and step."""
    with torch.inference_mode(False):  # an inference tensor could not be used in training
        return visiting_order(height, width, device=device)


def _is_traced(u: Tensor) -> bool:
    """Return whether a program is recorded, which must create its constants itself."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing() or type(u) is not Tensor


def visiting_order(height: int, width: int, *, device: torch.device | None = None) -> Tensor:
    """Return the pixels, counted along rows, in the order in which each path visits them.

    Shape:
        - returns: (4, H * W).
    """
    rows = torch.arange(height * width, device=device)
    columns = rows.view(height, width).t().flatten()
    forward = torch.stack([rows, columns])
    return torch.cat([forward, forward.flip(1)])


def _on_copies(backend: str, tensors: Prepared, delta_softplus: bool, order: Tensor) -> Tensor:
    """Scan copies in the order of each path, for backends without an order of visits."""

    def gather(maps: Tensor) -> Tensor:
        return torch.stack([maps[:, k][..., path] for k, path in enumerate(order)], dim=1)

    copies = tensors._replace(
        u=gather(tensors.u.unsqueeze(1).expand(-1, DIRECTIONS, -1, -1)).flatten(1, 2),
        delta=gather(tensors.delta.unflatten(1, (DIRECTIONS, -1))).flatten(1, 2),
        B=gather(tensors.B),
        C=gather(tensors.C),
    )
    y, _ = scan_with(backend, copies, delta_softplus)
    outputs = y.unflatten(1, (DIRECTIONS, -1))
    inverse = order.argsort(dim=1)
    return torch.stack([outputs[:, k][..., path] for k, path in enumerate(inverse)]).sum(0)
