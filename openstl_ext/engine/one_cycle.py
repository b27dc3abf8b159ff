"""Momentum of the one-cycle schedule, which mmengine does not have."""

import math

from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler.momentum_scheduler import MomentumSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from torch.optim import Optimizer

from openstl_ext.registry import PARAM_SCHEDULERS
from openstl_ext.value_types import Index, Share


class _Cycle(_ParamScheduler):
    """Momentum that falls from ``largest`` to ``smallest`` along a cosine, then rises again."""

    def __init__(
        self,
        optimizer: Optimizer | OptimWrapper,
        param_name: str,
        *,
        smallest: float,
        largest: float,
        pct_start: float,
        begin: int,
        end: int,
        last_step: int,
        by_epoch: bool,
    ) -> None:
        self.smallest, self.largest = smallest, largest
        self.turn = pct_start * (end - begin) - 1
        self.last = end - begin - 1
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch)

    def _get_value(self) -> list[float]:
        return [self.at(self.last_step)] * len(self.optimizer.param_groups)

    def at(self, step: int) -> float:
        """Return the momentum of a step."""
        if step <= self.turn:
            return cosine(self.largest, self.smallest, step / self.turn if self.turn else 0.0)
        return cosine(self.smallest, self.largest, (step - self.turn) / (self.last - self.turn))


@PARAM_SCHEDULERS.register_module()
class OneCycleMomentum(MomentumSchedulerMixin, _Cycle):
    """Lower the momentum while the learning rate of ``OneCycleLR`` rises, then raise it.

    With Adam it is the first beta. torch's one-cycle schedule does both; published SimVP scores
    were computed with it.

    Args:
        optimizer: The optimiser.
        smallest: Momentum at the peak of the learning rate.
        largest: Momentum at the start and at the end.
        pct_start: Share of the steps before the peak.
        begin: First step.
        end: Step after the last; the default is the end of the run.
        last_step: Last step done, to continue without a saved state.
        by_epoch: Whether a step is an epoch.

    Source:
        Smith and Topin (arXiv:1708.07120); ``torch.optim.lr_scheduler.OneCycleLR``.
    """

    def __init__(
        self,
        optimizer: Optimizer | OptimWrapper,
        *,
        end: int,
        smallest: Share = 0.85,
        largest: Share = 0.95,
        pct_start: Share = 0.3,
        begin: Index = 0,
        last_step: int = -1,
        by_epoch: bool = False,
    ) -> None:
        super().__init__(  # type: ignore[call-arg]  # the mixin adds the name
            optimizer,
            smallest=smallest,
            largest=largest,
            pct_start=pct_start,
            begin=begin,
            end=end,
            last_step=last_step,
            by_epoch=by_epoch,
        )


def cosine(start: float, stop: float, share: float) -> float:
    """Return a point on half a cosine from ``start`` to ``stop``."""
    return stop + (start - stop) / 2.0 * (math.cos(math.pi * share) + 1)
