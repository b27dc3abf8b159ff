"""Prepare DDP before the first step: the order of its sums, and parameters without gradient."""

from typing import Any

from mmengine.runner import Runner
from torch.nn.parallel import DistributedDataParallel

from openstl_ext.engine.fully_shard import is_divided
from openstl_ext.engine.state import accumulative_counts
from openstl_ext.errors import ConfigError


def warm_up_ddp(runner: Runner) -> None:
    """Run one forward and backward pass, which changes only the order of DDP's buckets.

    After its first backward pass, torch sorts gradients into new buckets by the order in which
    they became ready. With three or more ranks, the order of a sum depends on the position in its
    bucket, so the first step after a resume would differ from the same step of an uninterrupted
    run in the last bit. With this pass, every run starts with sorted buckets. The sum of two
    values has no order, so one and two ranks do not need it.

    Args:
        runner: A run about to train.
    """
    if runner.world_size <= 2 or not isinstance(runner.model, DistributedDataParallel):
        return
    model, wrapper, loader = runner.model, runner.optim_wrapper, runner.train_dataloader
    buffers = {name: buffer.clone() for name, buffer in model.module.named_buffers()}
    size = min(runner.train_loop.batch_size, len(loader.dataset))
    batch = loader.collate_fn([loader.dataset[(0, index)] for index in range(size)])
    # as at the last step of an update; otherwise the ranks would not exchange gradients
    count, wrapper._inner_count = wrapper._inner_count, accumulative_counts(runner) - 1
    model.train()
    with wrapper.optim_context(model):
        losses = model(**model.module.data_preprocessor(batch, training=True), mode="loss")
    model.module.parse_losses(losses)[0].backward()
    wrapper.zero_grad()
    wrapper._inner_count = count
    for name, buffer in model.module.named_buffers():
        buffer.data.copy_(buffers[name])


def refuse_unused_parameters(runner: Runner) -> None:
    """Check before each step that DDP has a gradient for every trained parameter.

    Without one, the gradients of other parameters are not exchanged, and the next collective
    operation receives them in place of its own values.

    Args:
        runner: A run about to train.

    Raises:
        ConfigError: In the step, with the first parameter that has none.
    """
    model = runner.model
    if is_divided(model):
        runner.optim_wrapper.optimizer.register_step_pre_hook(model.forget_unused)
    if not isinstance(model, DistributedDataParallel):
        return
    if model.find_unused_parameters or model.static_graph:
        return

    def check(*_: Any) -> None:
        for name, parameter in model.module.named_parameters():
            if parameter.requires_grad and parameter.grad is None:
                raise ConfigError(
                    f"{name} is not used by the batch of rank {runner.rank}, so the processes "
                    "cannot average their gradients; set "
                    "model_wrapper_cfg=dict(find_unused_parameters=True)"
                )

    runner.optim_wrapper.optimizer.register_step_pre_hook(check)
