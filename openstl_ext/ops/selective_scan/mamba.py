"""The CUDA scan of mamba_ssm, where it is installed and works."""

from torch import Tensor


def scan(
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
    """Output and last state; shapes as in ``reference_scan``.

    Its backward pass adds with atomics, so that equal inputs give slightly different gradients,
    and it has no gradient for the last state: ``selective_scan`` does not choose it where either
    matters.

    Source:
        state-spaces/mamba, ``selective_scan_fn``.
    """
    # Some releases import without their kernel and fail at the first call, so ask for it by name.
    # Never at import of this module: it brings transformers and triton, and may fail in any way.
    import selective_scan_cuda  # noqa: F401
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    return selective_scan_fn(
        u, delta, A, B, C, D, z, delta_bias, delta_softplus, return_last_state=True
    )
