"""Unroll a recurrent net over time."""

from typing import cast

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from openstl_ext.interfaces import RecurrentModel, RegularizedRecurrentModel


def rollout(
    net: RecurrentModel,
    frames: Tensor,
    observed: Tensor,
    num_steps: int,
    *,
    recompute: bool = False,
    regularized: bool = False,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Unroll a net; each step receives the observed frame or the net's own last output.

    Args:
        net: Maps (frame, state) to (next frame, state).
        frames: Known frames, oldest first.
        observed: True where step t receives the observed frame; step 0 always does. On the CPU,
            so that reading it does not synchronise a GPU.
        num_steps: Number of frames to predict. After the known frames the net receives its own.
        recompute: Whether a step keeps only its inputs and is computed again for its gradient:
            the memory of one step instead of all, for a third more time.
        regularized: Whether to collect the auxiliary losses of a RegularizedRecurrentModel.

    Shape:
        - frames: (B, S, C, H, W); observed: (B, S).
        - returns: (B, num_steps, C, H, W), where element t predicts frame t + 1.

    Returns:
        The predicted frames, and the mean over the steps of each auxiliary loss.
    """
    outputs: list[Tensor] = []
    auxiliary: list[dict[str, Tensor]] = []
    state = None
    for step in range(num_steps):
        if step == 0:
            frame = frames[:, 0]
        elif step >= frames.shape[1]:
            frame = outputs[-1]
        else:
            frame = _select(frames[:, step], outputs[-1], observed[:, step])
        if recompute:
            output, state = checkpoint(net, frame, state, use_reentrant=False)
        else:
            output, state = net(frame, state)
        outputs.append(output)
        if regularized:
            auxiliary.append(cast(RegularizedRecurrentModel, net).auxiliary_losses(state))
    names = auxiliary[0] if auxiliary else ()
    means = {name: torch.stack([step[name] for step in auxiliary]).mean() for name in names}
    return torch.stack(outputs, dim=1), means


def _select(target: Tensor, own: Tensor, observed: Tensor) -> Tensor:
    """Select the input of each sample of a batch."""
    if observed.all():
        return target
    if not observed.any():
        return own
    return torch.where(observed.to(target.device).view(-1, 1, 1, 1), target, own)
