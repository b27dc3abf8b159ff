"""Unrolling a one-step net over time."""

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from openstl_ext.interfaces import RecurrentModel


def rollout(
    net: RecurrentModel,
    frames: Tensor,
    observed: Tensor,
    num_steps: int,
    *,
    recompute: bool = False,
) -> Tensor:
    """Unroll a net, showing it the truth where it may look and its own last frame elsewhere.

    Args:
        net: Anything that maps (frame, state) to (next frame, state).
        frames: Frames known to the caller, oldest first.
        observed: True where step t is fed the truth; step 0 always is. On the CPU, so that asking
            it makes no GPU wait.
        num_steps: Number of frames to produce. Beyond the known frames the net feeds itself.
        recompute: Whether a step keeps only what it is given, and is computed again for its
            gradient: the memory of one step instead of all, for a third more time.

    Shape:
        - frames: (B, S, C, H, W); observed: (B, S).
        - returns: (B, num_steps, C, H, W), where element t predicts frame t + 1.
    """
    outputs: list[Tensor] = []
    state = None
    for step in range(num_steps):
        if step == 0:
            frame = frames[:, 0]
        elif step >= frames.shape[1]:
            frame = outputs[-1]
        else:
            frame = _shown(frames[:, step], outputs[-1], observed[:, step])
        if recompute:
            output, state = checkpoint(net, frame, state, use_reentrant=False)
        else:
            output, state = net(frame, state)
        outputs.append(output)
    return torch.stack(outputs, dim=1)


def _shown(truth: Tensor, own: Tensor, observed: Tensor) -> Tensor:
    """The frame each sample of a batch is fed."""
    if observed.all():
        return truth
    if not observed.any():
        return own
    return torch.where(observed.to(truth.device).view(-1, 1, 1, 1), truth, own)
