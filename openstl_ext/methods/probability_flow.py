"""Ordinary differential equations from noise to data: two objectives, and their solvers.

Values have a standard deviation of about 1. An objective has a time that states how noisy a value
is, a regression target for a net in training, and a derivative by the time for sampling.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal, Protocol

import torch
from torch import Tensor

from openstl_ext.errors import ConfigError

Derivative = Callable[[Tensor, Tensor], Tensor]
"""Maps values (N, ...) and the time (N,) to the derivative (N, ...)."""


class Objective(Protocol):
    """What a net is trained on, and how its output is integrated.

    Attributes:
        least_steps: Smallest number of steps of the sampler.
        singular_end: Whether the derivative is undefined at the last time.
    """

    least_steps: int
    singular_end: bool

    def draw_times(self, number: int) -> Tensor:
        """Draw training times (number,) from torch's generator."""

    def mix(self, clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        """Return noisy values of the times."""

    def net_inputs(self, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return noisy values and times in the form that the net receives."""

    def target(self, clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        """Return what the output of the net is compared with, by the mean squared error."""

    def derivative(self, output: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        """Return the derivative by the time from the output of the net."""

    def schedule(self, num_steps: int) -> list[float]:
        """Return the times of the sampler, from noise to data: one more than steps."""

    def start(self, noise: Tensor) -> Tensor:
        """Return the values at the first time of the schedule."""


class FlowMatching:
    """Straight paths from noise at time 0 to data at time 1; the net predicts the velocity.

    Source:
        Lipman et al., Flow matching for generative modeling (arXiv:2210.02747), without noise at
        time 1; Liu et al., rectified flow (arXiv:2209.03003).
    """

    least_steps = 1
    singular_end = False

    def draw_times(self, number: int) -> Tensor:
        return torch.rand(number)

    def mix(self, clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        return torch.lerp(noise, clean, along(time, clean))

    def net_inputs(self, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        return noisy, time

    def target(self, clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        del time
        return clean - noise

    def derivative(self, output: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        del noisy, time
        return output

    def schedule(self, num_steps: int) -> list[float]:
        return [step / num_steps for step in range(num_steps + 1)]

    def start(self, noise: Tensor) -> Tensor:
        return noise


class ElucidatedDiffusion:
    """Diffusion with the preconditioning, the noise levels and the ODE of Karras et al.

    The time is the standard deviation of the noise. The net predicts preconditioned frames F; the
    denoised frames are ``c_skip * x + c_out * F``. A plain mean squared error of F is the published
    loss, because its weight times ``c_out ** 2`` is 1.

    Source:
        Karras et al., Elucidating the design space of diffusion models (arXiv:2206.00364), table 1.

    Deviations:
        Values have the deviation 1, where the paper has ``sigma_data = 0.5``; its noise levels are
        divided by 0.5 here, so the schedules are the same. There is no churn: the sampler is
        deterministic, given the noise.
    """

    least_steps = 2
    singular_end = True
    smallest, largest, rho = 0.002 / 0.5, 80 / 0.5, 7.0
    log_mean, log_std = -1.2 - math.log(0.5), 1.2

    def draw_times(self, number: int) -> Tensor:
        return (self.log_mean + self.log_std * torch.randn(number)).exp()

    def mix(self, clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        return clean + along(time, clean) * noise

    def net_inputs(self, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        c_in = along((time.square() + 1).rsqrt(), noisy)
        return c_in * noisy, time.log() / 4

    def target(self, clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        # (clean - c_skip * noisy) / c_out without the difference of two nearly equal numbers
        deviation = along((time.square() + 1).rsqrt(), clean)
        return deviation * (along(time, clean) * clean - noise)

    def derivative(self, output: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        # (noisy - c_skip * noisy - c_out * output) / time
        total = along(time.square() + 1, noisy)
        return along(time, noisy) / total * noisy - output * total.rsqrt()

    def schedule(self, num_steps: int) -> list[float]:
        first, last = self.largest ** (1 / self.rho), self.smallest ** (1 / self.rho)
        shares = (step / (num_steps - 1) for step in range(num_steps))
        return [*((first + share * (last - first)) ** self.rho for share in shares), 0.0]

    def start(self, noise: Tensor) -> Tensor:
        return self.largest * noise


OBJECTIVES: dict[str, type[Objective]] = {"flow_matching": FlowMatching, "edm": ElucidatedDiffusion}


def build_objective(name: str, num_steps: int) -> Objective:
    """Return an objective.

    Raises:
        ConfigError: If its sampler needs more steps.
    """
    objective = OBJECTIVES[name]()
    if num_steps < objective.least_steps:
        raise ConfigError(
            f"num_steps={num_steps} is too few for objective={name!r}, which needs at least "
            f"{objective.least_steps}"
        )
    return objective


def integrate(
    derivative: Derivative,
    start: Tensor,
    times: list[float],
    *,
    solver: Literal["heun", "euler"],
    singular_end: bool = False,
) -> Tensor:
    """Solve an ordinary differential equation.

    Args:
        derivative: Its right-hand side.
        start: Values (N, ...) at the first time.
        times: Times of the steps, ascending or descending.
        solver: ``euler``, one evaluation a step, order 1; ``heun``, two and order 2.
        singular_end: Whether the derivative is undefined at the last time; the last step is then
            one of Euler.
    """
    x = start
    for step, (now, then) in enumerate(pairwise(times), start=1):
        slope = derivative(x, x.new_full((len(x),), now))
        ahead = x + (then - now) * slope
        if solver == "heun" and not (singular_end and step == len(times) - 1):
            slope = (slope + derivative(ahead, x.new_full((len(x),), then))) / 2
            ahead = x + (then - now) * slope
        x = ahead
    return x


def along(time: Tensor, values: Tensor) -> Tensor:
    """Return times (N,) in a shape that broadcasts over values (N, ...)."""
    return time.view(-1, *[1] * (values.ndim - 1))
