"""Cosine schedules with a warm-up: of timm, and of masked autoencoders."""

import math
from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from torch.optim import Optimizer

from openstl_ext.errors import ConfigError
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


class _WarmupThenCosine(_ParamScheduler):
    """Value that rises linearly from 0 for some steps, then falls along half a cosine to 0."""

    def __init__(
        self,
        optimizer: Optimizer | OptimWrapper,
        param_name: str,
        *,
        warmup: int,
        begin: int,
        end: int,
        last_step: int,
        by_epoch: bool,
    ) -> None:
        if warmup >= end - begin:
            raise ConfigError(
                f"warmup={warmup} is as long as the schedule of {end - begin} steps; reduce it, or "
                "train longer"
            )
        self.warmup, self.length = warmup, end - begin
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch)

    def _get_value(self) -> list[float]:
        return [peak * self.share(self.last_step) for peak in self.base_values]

    def share(self, step: int) -> float:
        """Return the value of a step as a share of the peak."""
        if step < self.warmup:
            return step / self.warmup
        done = (step - self.warmup) / (self.length - self.warmup)
        return 0.5 * (1 + math.cos(math.pi * done))


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


@PARAM_SCHEDULERS.register_module()
class WarmupThenCosineLR(LRSchedulerMixin, _WarmupThenCosine):
    """Raise the learning rate linearly from 0, then lower it along half a cosine to 0.

    The peak is the ``lr`` of the optimiser, or of each of its parameter groups, whose ratios do
    not change. With ``convert_to_iter_based=True`` all lengths are given in epochs, and the rate
    changes at each iteration.

    Args:
        optimizer: The optimiser.
        warmup: Steps of the warm-up; 0 for none.
        begin: First step.
        end: Step after the last; the default is the end of the run.
        last_step: Last step done, to continue without a saved state.
        by_epoch: Whether a step is an epoch; a training of iterations sets False.

    Raises:
        ConfigError: If the warm-up is not shorter than the schedule.

    Source:
        ``get_cosine_schedule_with_warmup`` of transformers with half a cycle, as used by SMARTIES.
        https://github.com/gsumbul/SMARTIES
    """

    def __init__(
        self,
        optimizer: Optimizer | OptimWrapper,
        *,
        end: int,
        warmup: Index = 0,
        begin: Index = 0,
        last_step: int = -1,
        by_epoch: bool = True,
    ) -> None:
        super().__init__(  # type: ignore[call-arg]  # the mixin adds the name
            optimizer,
            warmup=warmup,
            begin=begin,
            end=end,
            last_step=last_step,
            by_epoch=by_epoch,
        )

    @classmethod
    def build_iter_from_epoch(
        cls,
        *args: Any,
        epoch_length: int,
        end: int,
        warmup: int = 0,
        begin: int = 0,
        **options: Any,
    ) -> "WarmupThenCosineLR":
        """Build the schedule with its lengths in iterations; mmengine calls it."""
        steps = {"end": end, "warmup": warmup, "begin": begin}
        counted = {name: length * epoch_length for name, length in steps.items()}
        return cls(*args, **{**options, **counted, "by_epoch": False})
