"""Who feeds step t in training: the truth, or the net's own last frame.

A feed is a pure function of the iteration. Its coins are plain ``torch.rand``: the engine seeds
every iteration from its place in the run, so a resumed run tosses the same coins with nothing
saved, and ranks toss different ones.

Shape (of every feed):
    - returns: (B, seen + horizon - 1) bool on the CPU, True where the net is shown the truth. Step
      0 always is. The last frame is never fed, so it has no column.
"""

import math

import torch
from torch import Tensor

from openstl_ext.registry import TEACHER_FORCING


@TEACHER_FORCING.register_module()
class FreeRunning:
    """Show the frames of the past; from then on the net lives on its own.

    Training sees what a forecast sees, and gradients pass through the whole run.

    Source:
        yyyujintang/VMRNN-PyTorch@8e6cfb7, where no other feed exists.
    """

    def __call__(self, *, seen: int, horizon: int, batch: int, iteration: int) -> Tensor:  # noqa: ARG002
        steps = torch.arange(seen + horizon - 1)
        return (steps < seen).expand(batch, -1)


@TEACHER_FORCING.register_module()
class ScheduledSampling:
    """Show the past, and of the future every frame with a probability that falls to nothing.

    Args:
        start: Probability that the truth is shown, before the first iteration.
        rate: How much of it each iteration takes away.
        stop: Iteration from which the truth of the future is never shown.

    Source:
        Bengio et al. (arXiv:1506.03099); chengtan9907/OpenSTL@c74deb5, utils/predrnn_utils.py.

    Deviations:
        Upstream counts down an attribute that no checkpoint holds, so a resumed run starts again
        at 1, and never reads its configured start. Here both follow from the iteration.
    """

    def __init__(self, *, start: float = 1.0, rate: float = 2e-5, stop: int = 50_000) -> None:
        self.start = start
        self.rate = rate
        self.stop = stop

    def probability(self, iteration: int) -> float:
        """How likely a frame of the future is shown."""
        if iteration >= self.stop:
            return 0.0
        # Upstream: lowered before its first use, hence + 1
        return max(0.0, self.start - self.rate * (iteration + 1))

    def __call__(self, *, seen: int, horizon: int, batch: int, iteration: int) -> Tensor:
        past = torch.ones(batch, seen, dtype=torch.bool)
        future = torch.rand(batch, horizon - 1) < self.probability(iteration)
        return torch.cat([past, future], dim=1)


@TEACHER_FORCING.register_module()
class ReverseScheduledSampling:
    """Hide half of the past at first, all of the future at last.

    The net has to remember from the start, because the truth of the past is as unsure as that of
    the future; then the past becomes sure while the future fades.

    Args:
        first: Iteration from which the past grows surer and the future fades.
        second: Iteration from which the past is always and the future never shown.
        scale: How many iterations the doubt about the past needs to fall to 1/e.

    Source:
        Wang et al., PredRNN (arXiv:2103.09504), section 3.4; chengtan9907/OpenSTL@c74deb5,
        utils/predrnn_utils.py.
    """

    def __init__(
        self, *, first: int = 25_000, second: int = 50_000, scale: float = 5_000.0
    ) -> None:
        self.first = first
        self.second = second
        self.scale = scale

    def probabilities(self, iteration: int) -> tuple[float, float]:
        """How likely a frame of the past, and one of the future, is shown."""
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
