"""Training in half precision on any device, and fused optimisers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.optim import Optimizer

from openstl_ext.errors import ConfigError, nearest
from openstl_ext.registry import OPTIM_WRAPPERS

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
FUSED = ("Adam", "AdamW", "SGD")
"""Optimisers with a fused kernel on CPUs and GPUs: one pass over memory instead of ten."""
FUSED_DIVIDED = ("Adam", "AdamW")
"""Those whose fused kernel accepts weights that are divided among processes."""


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Run forward pass and loss under autocast, on CPUs and GPUs.

    bfloat16 has the range of float32, so it needs no loss scaling. float16 needs it and has no
    fast kernels on CPUs, so it is rejected there. mmengine's AmpOptimWrapper rejects CPUs.

    Args:
        optimizer: The optimiser to wrap.
        dtype: ``bfloat16`` or ``float16``.
        accumulative_counts: Iterations that share one update.
        clip_grad: Arguments of mmengine's gradient clipping.

    Raises:
        ConfigError: If the dtype is unknown, or float16 is requested without a GPU.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        *,
        dtype: str = "bfloat16",
        accumulative_counts: int = 1,
        clip_grad: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(optimizer, accumulative_counts, clip_grad)
        if dtype not in DTYPES:
            raise ConfigError(f"dtype={dtype!r} is unknown; {nearest(dtype, DTYPES)}")
        self.device_type = get_device().partition(":")[0]
        if dtype == "float16" and self.device_type != "cuda":
            raise ConfigError("dtype='float16' needs a GPU; use dtype='bfloat16'")
        self.dtype = DTYPES[dtype]
        self.scaler = torch.amp.GradScaler(self.device_type, enabled=dtype == "float16")

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast(self.device_type, self.dtype):
            yield

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        self.scaler.scale(loss).backward(**kwargs)
        self._inner_count += 1

    def step(self, **kwargs: Any) -> None:
        if self.clip_grad_kwargs:
            self.scaler.unscale_(self.optimizer)
            self._clip_grad()
        self.scaler.step(self.optimizer, **kwargs)
        self.scaler.update()

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "loss_scaler": self.scaler.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state = dict(state_dict)
        self.scaler.load_state_dict(state.pop("loss_scaler", {}))
        super().load_state_dict(state)


def prefer_fused(
    optimizer: dict[str, Any], device_type: str, *, divided: bool = False
) -> dict[str, Any]:
    """Return the config of an optimiser, with its fused kernel if the device has one.

    Args:
        optimizer: Config of an optimiser; ``fused`` or ``foreach`` are kept if given.
        device_type: ``cpu`` or ``cuda``.
        divided: Whether the weights may be divided among processes.
    """
    decided = {"fused", "foreach", "differentiable"} & set(optimizer)
    known = FUSED_DIVIDED if divided else FUSED
    if optimizer.get("type") in known and device_type in ("cpu", "cuda") and not decided:
        return {**optimizer, "fused": True}
    return optimizer
