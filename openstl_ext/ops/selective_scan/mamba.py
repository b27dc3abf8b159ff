"""CUDA scan of mamba_ssm, an optional package."""

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
    """Compute output and last state; shapes as in ``reference_scan``.

    Its backward pass uses atomic additions, so equal inputs give slightly different gradients, and
    it has no gradient of the last state. ``selective_scan`` does not select it if one of these
    matters.

    Source:
        state-spaces/mamba, ``selective_scan_fn``.
    """
    # Some releases import without their kernel and fail at the first call, so import it by name.
    # Not at the top of this module: the package imports transformers and triton and can fail.
    import selective_scan_cuda  # noqa: F401
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    return selective_scan_fn(
        u, delta, A, B, C, D, z, delta_bias, delta_softplus, return_last_state=True
    )
