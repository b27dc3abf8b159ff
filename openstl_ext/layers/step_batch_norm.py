"""Batch norm and ReLU of a sequence, with separate statistics for each time step."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.layers.memory_format import at_least_float32
from openstl_ext.layers.recomputation import recomputing

threshold_backward = torch.ops.aten.threshold_backward
native_batch_norm_backward = torch.ops.aten.native_batch_norm_backward


class StepBatchNormReLU(nn.BatchNorm2d):
    """Normalise each time step with its own batch statistics, all steps in one call, then ReLU.

    In training, a net that is called once per step uses the mean and variance of that step and
    updates its running statistics once per step. This layer does the same for all steps of a
    sequence, so that the convolutions around it can process all steps at once. In evaluation all
    steps use the running statistics.

    Args:
        channels: Width D.
        eps: Added to the variance.
        momentum: Weight of a step in the running statistics, up to 1.

    Shape:
        - x: (T * B, D, H, W), time slowest, T is ``num_steps``; returns: the same.

    Raises:
        ConfigError: If the momentum is not in (0, 1].
        ShapeError: If in training a step has only one value per channel, which has no variance.
    """

    momentum: float
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, channels: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        if not momentum or not 0 < momentum <= 1:
            raise ConfigError(f"momentum must be in (0, 1], got {momentum}")
        super().__init__(channels, eps=eps, momentum=momentum)

    def forward(self, x: Tensor, num_steps: int = 1) -> Tensor:
        if not self.training:
            running = (self.running_mean, self.running_var)
            fixed = F.batch_norm(x, *running, self.weight, self.bias, eps=self.eps)
            return F.relu(fixed, inplace=True)
        if x.numel() == num_steps * x.shape[1]:
            raise ShapeError(
                "in training a batch norm needs at least two values per channel and step, got one "
                f"image of 1 x 1, {tuple(x.shape)} with {num_steps} steps; use a larger batch or "
                "larger frames"
            )
        return _StepNormReLU.apply(x, self.weight, self.bias, self, num_steps)

    def folded(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return weight and bias of a convolution that includes this norm in evaluation.

        Args:
            weight: Weight of the convolution before the norm, which has no bias. The result is
                channels last, to which the library would convert it anyway.
        """
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        into = torch.empty_like(weight, memory_format=torch.channels_last)
        torch.mul(weight, scale[:, None, None, None], out=into)
        return into, self.bias - self.running_mean * scale


class _StepNormReLU(torch.autograd.Function):
    """PyTorch's batch norm applied to one step after the other, reading and writing views.

    With autograd, splitting and concatenating would copy the tensor once more in each direction.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, norm: StepBatchNormReLU, num_steps: int
    ) -> Tensor:
        running = (norm.running_mean, norm.running_var)
        if recomputing():  # the first pass has already updated them
            running = (norm.running_mean.clone(), norm.running_var.clone())
        else:
            norm.num_batches_tracked.add_(num_steps)
        out = torch.empty_like(x)
        # CPUs sum in float32 and store the type of the weights; other devices store float32
        kept = weight if weight.device.type == "cpu" else at_least_float32(weight)
        means, scales = kept.new_empty(2, num_steps, len(weight))
        chunks = (x.chunk(num_steps), out.chunk(num_steps), means, scales)
        for step, *into in zip(*chunks, strict=True):
            torch.native_batch_norm(
                step, weight, bias, *running, True, norm.momentum, norm.eps, out=tuple(into)
            )
            into[0].relu_()
        ctx.save_for_backward(x, out, weight, means, scales)
        ctx.eps = norm.eps
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, out, weight, means, scales = ctx.saved_tensors
        num_steps = len(means)
        grad_x = torch.empty_like(x)
        grad_weight, grad_bias = torch.zeros_like(weight), torch.zeros_like(weight)
        chunks = (t.chunk(num_steps) for t in (grad, out, x, grad_x))
        for grad_out, output, step, into, mean, scale in zip(*chunks, means, scales, strict=True):
            grad_step, dw, db = native_batch_norm_backward(
                threshold_backward(grad_out, output, 0),
                *(step, weight, None, None, mean, scale, True, ctx.eps, [True, True, True]),
            )
            into.copy_(grad_step)
            grad_weight += dw
            grad_bias += db
        return grad_x, grad_weight, grad_bias, None, None
