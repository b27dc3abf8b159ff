"""Reference implementation of the scan: slow, differentiable by autograd."""

import torch
from torch import Tensor
from torch.nn import functional as F


def reference_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,  # noqa: N803
    B: Tensor,  # noqa: N803
    C: Tensor,  # noqa: N803
    D: Tensor | None = None,  # noqa: N803
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
) -> tuple[Tensor, Tensor]:
    """Compute output and last state of the scan, in the float type of ``u``.

    Discretise, step along L, read out, then add the skip and multiply by the gate. There is one
    index per step, as in mamba_ssm's pure-PyTorch version. The backward pass of each index fills a
    gradient of full size, so training is quadratic in L.

    Shape:
        - u, delta, z: (B, D, L); A: (D, N); B, C: (B, G, N, L); D, delta_bias: (D,).
        - returns: (B, D, L) and (B, D, N).

    Source:
        Gu and Dao (arXiv:2312.00752), algorithm 2; state-spaces/mamba@e9594ce,
        selective_scan_interface.py.
    """
    dt = delta if delta_bias is None else delta + delta_bias[:, None]
    dt = F.softplus(dt) if delta_softplus else dt
    B, C = (w.repeat_interleave(len(A) // w.shape[1], dim=1) for w in (B, C))  # noqa: N806
    decay = torch.exp(torch.einsum("bdl,dn->bdln", dt, A))
    drive = torch.einsum("bdl,bdnl,bdl->bdln", dt, B, u)
    h = torch.zeros_like(decay[:, :, 0])
    y = []
    for t in range(u.shape[-1]):
        h = decay[:, :, t] * h + drive[:, :, t]
        y.append(torch.einsum("bdn,bdn->bd", h, C[..., t]))
    out = torch.stack(y, dim=-1)
    if D is not None:
        out = out + D[:, None] * u
    if z is not None:
        out = out * F.silu(z)
    return out, h
