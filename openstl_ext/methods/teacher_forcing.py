"""Teacher forcing: select observed frames or the net's own output as training input.

The probability of an observed frame is a pure function of the iteration. Random draws are plain
``torch.rand``: the engine seeds every iteration from its place in the run, so a resumed run
repeats them without a saved state, and ranks draw different ones.

Shape (of every class):
    - returns: (B, seen + horizon - 1) bool on the CPU, True where the net receives the observed
      frame. Step 0 is always True. The last frame is never an input, so it has no column.
"""

import math

import torch
from torch import Tensor

from openstl_ext.registry import TEACHER_FORCING
from openstl_ext.value_types import Index, NonNegative, Positive


@TEACHER_FORCING.register_module()
class FreeRunning:
    """Use the observed frames of the past, then the net's own output.

    Training and prediction have the same inputs, and gradients pass through the entire rollout.

    Source:
        yyyujintang/VMRNN-PyTorch@8e6cfb7, the only choice there.
    """

    def __call__(self, *, seen: int, horizon: int, batch: int, iteration: int) -> Tensor:  # noqa: ARG002
        steps = torch.arange(seen + horizon - 1)
        return (steps < seen).expand(batch, -1)


@TEACHER_FORCING.register_module()
class ScheduledSampling:
    """Use the observed past, and each future frame with a probability that decreases to zero.

    Args:
        start: Probability of an observed future frame before the first iteration.
        rate: Decrease of the probability per iteration.
        stop: Iteration from which observed future frames are never used.

    Source:
        Bengio et al. (arXiv:1506.03099); chengtan9907/OpenSTL@c74deb5, utils/predrnn_utils.py.

    Deviations:
        Upstream decreases an attribute that is not in checkpoints, so a resumed run starts again
        at 1, and ignores the configured start. Here both follow from the iteration.
    """

    def __init__(
        self, *, start: NonNegative = 1.0, rate: NonNegative = 2e-5, stop: Index = 50_000
    ) -> None:
        self.start = start
        self.rate = rate
        self.stop = stop

    def probability(self, iteration: int) -> float:
        """Compute the probability that a future frame is observed."""
        if iteration >= self.stop:
            return 0.0
        # Upstream: decreased before its first use, hence + 1
        return max(0.0, self.start - self.rate * (iteration + 1))

    def __call__(self, *, seen: int, horizon: int, batch: int, iteration: int) -> Tensor:
        past = torch.ones(batch, seen, dtype=torch.bool)
        future = torch.rand(batch, horizon - 1) < self.probability(iteration)
        return torch.cat([past, future], dim=1)


@TEACHER_FORCING.register_module()
class ReverseScheduledSampling:
    """Replace half of the past frames at first, and all of the future frames at the end.

    Past and future frames start with the same probability, which makes the net use its memory.
    Then the probability of past frames increases and that of future frames decreases.

    Args:
        first: Iteration from which the probabilities change.
        second: Iteration from which past frames are always and future frames never observed.
        scale: Iterations in which the share of replaced past frames decreases to 1/e.

    Source:
        Wang et al., PredRNN (arXiv:2103.09504), section 3.4; chengtan9907/OpenSTL@c74deb5,
        utils/predrnn_utils.py.
    """

    def __init__(
        self, *, first: Index = 25_000, second: Index = 50_000, scale: Positive = 5_000.0
    ) -> None:
        self.first = first
        self.second = second
        self.scale = scale

    def probabilities(self, iteration: int) -> tuple[float, float]:
        """Compute the probabilities that a past frame and a future frame are observed."""
        if iteration < self.first:
            return 0.5, 0.5
        if iteration >= self.second:
            return 1.0, 0.0
        since = iteration - self.first
        past = 1.0 - 0.5 * math.exp(-since / self.scale)
        return past, 0.5 - 0.5 * since / (self.second - self.first)

    def __call__(self, *, seen: int, horizon: int, batch: int, iteration: int) -> Tensor:
        past, future = self.probabilities(iteration)
        return torch.cat(
            [
                torch.ones(batch, 1, dtype=torch.bool),
                torch.rand(batch, seen - 1) < past,
                torch.rand(batch, horizon - 1) < future,
            ],
            dim=1,
        )
