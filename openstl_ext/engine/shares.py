"""Training step of one rank for several: the step of a run that began with more ranks."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor

from openstl_ext.engine.state import unwrap


def step_of_shares(
    runner: Runner,
    batches: Sequence[Any],
    shares: Sequence[int],
    seed: Callable[[int], None],
) -> dict[str, Tensor]:
    """Compute the gradients of each batch in turn, and update the weights with their mean.

    Each batch is computed as its own rank would: its random numbers, its batch statistics. Two
    ranks on one give the same weights to the last bit. Sums of more than two ranks depend on the
    order that the process group uses, so they differ in the last bits.

    Args:
        runner: The run.
        batches: Batches of equal weight.
        shares: Number of each, which its random numbers depend on.
        seed: Seed the random numbers of a share.

    Returns:
        Terms of the loss of the first batch, as its rank logs them; not finite if any loss is not.
    """
    model, wrapper = runner.model, runner.optim_wrapper
    method: Any = unwrap(model)
    terms: list[dict[str, Tensor]] = []
    buffers: list[Tensor] = []
    for number, (batch, share) in enumerate(zip(batches, shares, strict=True), start=1):
        is_last = number == len(batches)
        alone = model.no_sync() if is_model_wrapper(model) and not is_last else nullcontext()
        if number > 1:  # the loop has seeded the first, before its hooks
            seed(share)
        with alone:
            with wrapper.optim_context(model):
                losses = model(**method.data_preprocessor(batch, training=True), mode="loss")
            loss, logged = method.parse_losses(losses)
            count = wrapper._inner_count
            wrapper.backward(wrapper.scale_loss(loss) / len(batches))
        if not is_last:
            wrapper._inner_count = count
        terms.append(logged)
        if number == 1:  # buffers of the first rank are kept; see distributed.share_buffers
            buffers = [buffer.clone() for buffer in method.buffers()]
    with torch.no_grad():
        for buffer, kept in zip(method.buffers(), buffers, strict=True):
            buffer.copy_(kept)
    if wrapper.should_update():
        wrapper.step()
        wrapper.zero_grad()
    others = sum(other["loss"] for other in terms[1:])
    return {**terms[0], "loss": terms[0]["loss"] + 0 * others}
