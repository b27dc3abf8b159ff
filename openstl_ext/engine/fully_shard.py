"""Divide weights, gradients and the state of the optimiser among the processes (FSDP2)."""

import re
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from openstl_ext.errors import ConfigError
from openstl_ext.registry import MODEL_WRAPPERS

BLOCK = re.compile(r"(.*\.)?blocks\.\d+")
NAME = "FullyShard"


@MODEL_WRAPPERS.register_module()
class FullyShard(nn.Module):
    """Wrapper of a method whose weights are divided among the processes.

    Each transformer block is gathered for its forward and backward pass only; the other weights
    stay whole from the forward to the backward pass. In evaluation mode all weights are whole, so
    that processes may predict different numbers of batches. Checkpoints contain whole tensors, as
    those of any other run.

    Parameters that no process used since the last update have no gradient, as with one process.

    Args:
        module: The method, with equal weights on every process.

    Raises:
        ConfigError: If the net has no ``blocks``, or torch is older than 2.13.

    Source:
        Zhao et al., PyTorch FSDP (arXiv:2304.11277); ``torch.distributed.fsdp.fully_shard``.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        parts = [part for name, part in module.named_modules() if BLOCK.fullmatch(name)]
        if not parts:
            raise ConfigError(
                f"model_wrapper_cfg: {NAME} divides the blocks of a transformer, and "
                f"{type(getattr(module, 'net', module)).__name__} has none; remove it"
            )
        if not hasattr(FSDPModule, "set_reduce_scatter_unused_params"):
            raise ConfigError(f"model_wrapper_cfg: {NAME} needs torch 2.13 or later; remove it")
        mesh = init_device_mesh(get_device().partition(":")[0], (get_world_size(),))
        for part in reversed(parts):  # blocks inside blocks first
            fully_shard(part, mesh=mesh, reshard_after_forward=True)
        fully_shard(module, mesh=mesh, reshard_after_forward=False)
        cast(FSDPModule, module).set_reduce_scatter_unused_params(True)
        # without it, an evaluation before the first step would make each block a root of its own
        cast(Any, module)._get_fsdp_state()._lazy_init()
        self.module = module
        self.blocks = [cast(FSDPModule, part) for part in parts]
        self._used: set[str] = set()
        self._watched: list[str] = []
        module.register_forward_pre_hook(self._watch)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        """Compute the gradients of a batch and update the weights."""
        return cast(Any, self.module).train_step(data, optim_wrapper)

    def val_step(self, data: Any) -> list[Any]:
        """Predict a batch; the weights are whole in evaluation mode."""
        return cast(Any, self.module).val_step(data)

    def test_step(self, data: Any) -> list[Any]:
        """Predict a batch; the weights are whole in evaluation mode."""
        return cast(Any, self.module).test_step(data)

    def no_sync(self) -> AbstractContextManager[None]:
        """Return a context without effect: gradients are summed over the processes at once.

        Whole gradients of several batches would take the memory that the division saves.
        """
        return nullcontext()

    def train(self, mode: bool = True) -> "FullyShard":
        """Set the mode, and gather or divide the weights; every process calls it."""
        super().train(mode)
        root = cast(FSDPModule, self.module)
        for part in (root, *self.blocks):
            part.set_reshard_after_forward(mode and part is not root, recurse=False)
            part.reshard()  # whatever one process has done with its weights since the last call
            if not mode:
                part.unshard()
        return self

    def forget_unused(self, *_: Any) -> None:
        """Remove the gradients, all 0, of parameters that no process used since the last call."""
        flags = torch.tensor([name in self._used for name in self._watched], device=get_device())
        flags = flags.int()
        all_reduce(flags, op="max")
        self._used.clear()
        unused = {
            name for name, flag in zip(self._watched, flags.tolist(), strict=True) if not flag
        }
        for name, parameter in self.module.named_parameters():
            if name in unused:
                parameter.grad = None

    def _watch(self, *_: Any) -> None:
        """Note which of the parameters that stay whole in a step get a gradient, from now on."""
        if self._watched or not self.training:
            return
        for name, parameter in self.module.named_parameters():
            if parameter.requires_grad and not isinstance(parameter, DTensor):
                self._watched.append(name)
                parameter.register_post_accumulate_grad_hook(
                    lambda _, name=name: self._used.add(name)  # type: ignore[misc]
                )


def is_divided(model: nn.Module) -> bool:
    """Return whether the weights of a model are divided among the processes."""
    return isinstance(model, FullyShard)


def is_share(value: Any) -> bool:
    """Return whether a value is a tensor of which each process has a share."""
    return isinstance(value, DTensor)


def whole(part: Any) -> Any:
    """Return nested dicts and lists with whole tensors in place of divided ones.

    Every process calls it with the same structure; tensors that were divided are on the CPU.
    """
    if isinstance(part, DTensor):
        return part.full_tensor().cpu()
    if isinstance(part, dict):
        return {key: whole(value) for key, value in part.items()}
    if isinstance(part, list):
        return [whole(value) for value in part]
    return part


def laid_out(value: Tensor, parameter: Tensor) -> Tensor:
    """Return a whole tensor in the layout of a parameter: its own memory, its device, its share.

    Shape:
        - value, parameter: the same.
    """
    if isinstance(parameter, DTensor):
        local = value.to(parameter.device).contiguous()
        return distribute_tensor(
            local, parameter.device_mesh, parameter.placements, src_data_rank=None
        )
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
