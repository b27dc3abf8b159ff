"""Objectives and solvers of generative forecasting, against closed forms."""

import math

import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.methods.probability_flow import (
    OBJECTIVES,
    ElucidatedDiffusion,
    FlowMatching,
    build_objective,
    integrate,
)

MEAN, STD = 0.7, 0.4
"""Gaussian data, for which the best output of a net and the end of each path are known."""


def best_denoised(name: str, x: Tensor, time: Tensor) -> Tensor:
    """Return the expected data of noisy values, for Gaussian data."""
    if name == "edm":
        return MEAN + STD**2 / (STD**2 + time**2) * (x - MEAN)
    gain = time * STD**2 / ((1 - time) ** 2 + time**2 * STD**2)
    return MEAN + gain * (x - time * MEAN)


def best_output(name: str, x: Tensor, time: Tensor) -> Tensor:
    """Return the output of the net that denoises best."""
    clean = best_denoised(name, x, time)
    if name == "flow_matching":
        return (clean - x) / (1 - time)
    c_skip, c_out = 1 / (time**2 + 1), time / (time**2 + 1).sqrt()
    return (clean - c_skip * x) / c_out


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_regression_target_has_the_best_output_as_its_mean(name: str) -> None:
    """A trained net would not approach the velocity that the sampler integrates."""
    objective = OBJECTIVES[name]()
    draw = torch.Generator().manual_seed(0)
    clean = MEAN + STD * torch.randn(400_000, generator=draw, dtype=torch.float64)
    noise = torch.randn(400_000, generator=draw, dtype=torch.float64)
    places = torch.tensor([0.0, 1.0], dtype=torch.float64)
    for value in (0.3, 0.6):
        time = torch.full_like(clean, value)
        x = objective.mix(clean, noise, time)
        target = objective.target(clean, noise, time)
        # the conditional mean is linear for Gaussian data, so least squares finds it
        slope = torch.cov(torch.stack([x, target]))[0, 1] / x.var()
        found = target.mean() + slope * (places - x.mean())
        expected = best_output(name, places, torch.full_like(places, value))
        torch.testing.assert_close(found, expected, rtol=0, atol=0.01)


def ends(name: str, num_steps: int, *, solver: str) -> float:
    """Return the largest error of samples of Gaussian data, of which the exact end is known."""
    objective = build_objective(name, num_steps)
    noise = torch.linspace(-2, 2, 9, dtype=torch.float64)

    def derivative(x: Tensor, time: Tensor) -> Tensor:
        return objective.derivative(best_output(name, x, time), x, time)

    start = objective.start(noise)
    # paths keep their place in the distribution
    place = (start - MEAN) / math.sqrt(STD**2 + 160**2) if name == "edm" else noise
    times = objective.schedule(num_steps)
    if name == "flow_matching":
        times[-1] -= 1e-9  # the closed form divides by 1 - time
    found = integrate(derivative, start, times, solver=solver, singular_end=objective.singular_end)
    return float((found - (MEAN + STD * place)).abs().max())


@pytest.mark.parametrize("name", OBJECTIVES)
def test_samples_of_gaussian_data_have_its_mean_and_deviation(name: str) -> None:
    """Members would have too little or too much spread."""
    assert ends(name, 100, solver="heun") < 2e-3


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2)])
def test_the_order_of_a_solver(solver: str, order: int) -> None:
    """Twice as many steps would not reduce the error as documented."""

    def error(num_steps: int) -> float:
        times = [step / num_steps for step in range(num_steps + 1)]
        start = torch.ones(1, dtype=torch.float64)
        found = integrate(lambda x, _: -2 * x, start, times, solver=solver)  # type: ignore[arg-type]
        return float((found - math.exp(-2)).abs())

    assert math.log2(error(40) / error(80)) == pytest.approx(order, abs=0.1)


def test_a_solver_is_exact_for_a_derivative_of_the_order() -> None:
    """A wrong weight of the second slope would be noticed as a bias of the samples only."""
    times, start = [0.0, 0.3, 1.0], torch.zeros(1, dtype=torch.float64)
    found = integrate(lambda _, t: 2 * t, start, times, solver="heun")
    assert float(found) == pytest.approx(1.0, abs=1e-12)


def test_the_preconditioning_is_that_of_karras() -> None:
    """Pretrained habits, such as noise levels, would not carry over."""
    objective, sigma_data = ElucidatedDiffusion(), 0.5
    sigma = torch.tensor([0.002, 0.5, 3.0, 80.0], dtype=torch.float64)
    clean, noise = torch.randn(2, 4, generator=torch.Generator().manual_seed(0)).double()
    x = clean * sigma_data + sigma * noise  # in the units of the paper
    total = sigma**2 + sigma_data**2
    c_skip, c_out = sigma_data**2 / total, sigma * sigma_data / total.sqrt()
    output = torch.linspace(-1, 1, 4, dtype=torch.float64)

    ours = objective.mix(clean, noise, sigma / sigma_data)
    torch.testing.assert_close(ours * sigma_data, x)
    fed, stated = objective.net_inputs(ours, sigma / sigma_data)
    torch.testing.assert_close(fed, x / total.sqrt())
    torch.testing.assert_close(stated, (sigma / sigma_data).log() / 4)
    target = objective.target(clean, noise, sigma / sigma_data)
    torch.testing.assert_close(target, (clean * sigma_data - c_skip * x) / c_out)
    slope = (x - (c_skip * x + c_out * output)) / sigma  # d x / d sigma needs no conversion
    torch.testing.assert_close(objective.derivative(output, ours, sigma / sigma_data), slope)


def test_the_schedule_is_that_of_karras() -> None:
    """Steps would be spent at noise levels that do not matter."""
    found = torch.tensor(ElucidatedDiffusion().schedule(18)) * 0.5
    steps = torch.arange(18) / 17
    expected = (80 ** (1 / 7) + steps * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    torch.testing.assert_close(found[:-1], expected, rtol=1e-4, atol=1e-6)
    assert found[-1] == 0
    assert FlowMatching().schedule(4) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_training_times_cover_the_range_of_the_objective() -> None:
    """The net would be integrated at times that it has never seen."""
    torch.manual_seed(0)
    uniform = FlowMatching().draw_times(10_000)
    assert uniform.min() < 0.01
    assert uniform.max() > 0.99
    logs = (ElucidatedDiffusion().draw_times(10_000) * 0.5).log()
    assert float(logs.mean()) == pytest.approx(-1.2, abs=0.05)
    assert float(logs.std()) == pytest.approx(1.2, abs=0.05)


def test_too_few_steps_are_refused() -> None:
    """One step of the diffusion would divide by 0."""
    with pytest.raises(
        ConfigError, match=r"num_steps=1 is too few for objective='edm'.*at least 2"
    ):
        build_objective("edm", 1)
    build_objective("flow_matching", 1)
