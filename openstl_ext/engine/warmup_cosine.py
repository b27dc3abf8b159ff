"""Cosine schedule of timm, used for the tables of OpenSTL and VMRNN."""

import math

from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from torch.optim import Optimizer

from openstl_ext.registry import PARAM_SCHEDULERS
from openstl_ext.value_types import Index, NonNegative


class _WarmupCosine(_ParamScheduler):
    """Value that rises linearly for some steps, then falls along a cosine to a floor."""

    def __init__(
        self,
        optimizer: Optimizer | OptimWrapper,
        param_name: str,
        *,
        warmup: int,
        start: float,
        floor: float,
        begin: int,
        end: int,
        last_step: int,
        by_epoch: bool,
    ) -> None:
        self.warmup, self.start, self.floor = warmup, start, floor
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch)

    def _get_value(self) -> list[float]:
        return [self.at(self.last_step, peak) for peak in self.base_values]

    def at(self, step: int, peak: float) -> float:
        """Return the value of a step for a parameter group with the value ``peak``."""
        if step < self.warmup:
            return self.start + step * (peak - self.start) / self.warmup
        share = step / (self.end - self.begin)
        return self.floor + 0.5 * (peak - self.floor) * (1 + math.cos(math.pi * share))


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(LRSchedulerMixin, _WarmupCosine):
    """Raise the learning rate linearly, then lower it along a cosine to a floor.

    The cosine is counted from the first step and not from the end of the warm-up, so the rate jumps
    from just below its peak to a value of the falling curve. The peak is the ``lr`` of the
    optimiser.

    Args:
        optimizer: The optimiser.
        warmup: Steps of the warm-up; 0 for none.
        start: Learning rate of the first step of a warm-up.
        floor: Learning rate towards which the cosine falls.
        begin: First step.
        end: Step after the last; the default is the end of the run.
        last_step: Last step done, to continue without a saved state.
        by_epoch: Whether a step is an epoch; a training of iterations sets False.

    Source:
        Loshchilov and Hutter (arXiv:1608.03983); timm's ``CosineLRScheduler``, as
        used by chengtan9907/OpenSTL@c74deb5 and yyyujintang/VMRNN-PyTorch@8e6cfb7: stepped at the
        start of each epoch.
    """

    def __init__(
        self,
        optimizer: Optimizer | OptimWrapper,
        *,
        end: int,
        warmup: Index = 5,
        start: float = 1e-5,
        floor: NonNegative = 1e-6,
        begin: Index = 0,
        last_step: int = -1,
        by_epoch: bool = True,
    ) -> None:
        super().__init__(  # type: ignore[call-arg]  # the mixin adds the name
            optimizer,
            warmup=warmup,
            start=start,
            floor=floor,
            begin=begin,
            end=end,
            last_step=last_step,
            by_epoch=by_epoch,
        )
