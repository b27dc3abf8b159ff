"""The selective scan over an image: along its rows and its columns, forth and back."""

from functools import lru_cache

import torch
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.ops.selective_scan import dispatch
from openstl_ext.ops.selective_scan.operands import Prepared, prepared
from openstl_ext.ops.selective_scan.scan import scan_with

DIRECTIONS = 4
# Those that index first: without them, four copies still beat a slow loop on a GPU.
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
    """Scan an image along four paths and sum what they say at each pixel.

    The paths are rows from the top left, columns from the top left, and both reversed. Nothing is
    flipped, transposed or stacked: the kernels are told which pixel each path visits when, so all
    maps stay images. Projections that make ``delta``, ``B`` and ``C`` act on pixels, hence may be
    computed before, on the image, with one matrix product for all paths.

    Args:
        u: Input, the same for all paths.
        delta: Step sizes of each path, before bias and softplus.
        A: Decay rates, path by path: row ``k * C + c``.
        B: Weights into the state, shared by the channels of a path.
        C: Weights out of the state, likewise.
        D: Weight of the skip, path by path; those of the four paths add up.
        delta_bias: Added to the step sizes, path by path.
        delta_softplus: Whether step sizes go through softplus.
        backend: As in ``selective_scan``; ``mamba_ssm`` and ``reference`` cannot index and are
            given four copies.

    Shape:
        - u: (B, C, H, W); delta: (B, 4, C, H, W); A: (4 C, N); B, C: (B, 4, N, H, W);
          D, delta_bias: (4 C,).
        - returns: (B, C, H, W), in the float type of ``u``.

    Raises:
        ShapeError: If shapes or types do not fit together.
        BackendError: If the backend asked for does not exist or cannot run.

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
    wanted = backend
    if not torch.compiler.is_compiling():  # while tracing, the choice is left to the operator
        exacting = torch.are_deterministic_algorithms_enabled()
        among = tuple(b for b in BACKENDS if not (exacting and b == "mamba_ssm"))
        wanted = dispatch.choose(backend, u.device, tensors.u.dtype, among)
    if wanted in ("reference", "mamba_ssm"):
        out = _on_copies(wanted, tensors, delta_softplus, order)
    else:
        out, _ = scan_with(wanted, tensors, delta_softplus, order)
    return out.to(u.dtype).unflatten(2, (height, width))


@lru_cache(maxsize=32)
def _cached_order(height: int, width: int, *, device: torch.device) -> Tensor:
    """`visiting_order`, made once: a forecast needs it once a block and step."""
    with torch.inference_mode(False):  # or one made in a test could not serve training
        return visiting_order(height, width, device=device)


def _is_traced(u: Tensor) -> bool:
    """Whether a program is being recorded, which then must make its constants itself."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing() or type(u) is not Tensor


def visiting_order(height: int, width: int, *, device: torch.device | None = None) -> Tensor:
    """Which pixel, counted along rows, each of the four paths visits when.

    Shape:
        - returns: (4, H * W).
    """
    rows = torch.arange(height * width, device=device)
    columns = rows.view(height, width).t().flatten()
    forth = torch.stack([rows, columns])
    return torch.cat([forth, forth.flip(1)])


def _on_copies(backend: str, tensors: Prepared, delta_softplus: bool, order: Tensor) -> Tensor:
    """The same for backends that only walk from left to right."""

    def met(maps: Tensor) -> Tensor:
        return torch.stack([maps[:, k][..., path] for k, path in enumerate(order)], dim=1)

    copies = tensors._replace(
        u=met(tensors.u.unsqueeze(1).expand(-1, DIRECTIONS, -1, -1)).flatten(1, 2),
        delta=met(tensors.delta.unflatten(1, (DIRECTIONS, -1))).flatten(1, 2),
        B=met(tensors.B),
        C=met(tensors.C),
    )
    y, _ = scan_with(backend, copies, delta_softplus)
    said = y.unflatten(1, (DIRECTIONS, -1))
    back = order.argsort(dim=1)
    return torch.stack([said[:, k][..., path] for k, path in enumerate(back)]).sum(0)
