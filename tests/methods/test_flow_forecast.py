"""Ensembles by flow matching and diffusion."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import TOY_SHAPE, ConditionalDenoiser
from openstl_ext.methods.flow_forecast import FlowForecast, condition_of, noise_of
from openstl_ext.profiling.flops import count_flops
from tests.toy_net import toy_net


class Steady(nn.Module):
    """Net whose velocity is the mean of the past, whatever the noise is."""

    interface = ConditionalDenoiser
    num_targets = 4

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, noisy: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        del time
        return self.scale * condition.mean(dim=1, keepdim=True).expand_as(noisy)


def batch(size: int) -> dict[str, Tensor]:
    frames = torch.rand(size, *TOY_SHAPE, generator=torch.Generator().manual_seed(1))
    return {"frames": frames, "seed": torch.arange(size) + 10}


def trained_like(objective: str) -> FlowForecast:
    """Return a method whose net depends on all of its inputs."""
    torch.manual_seed(0)
    method = FlowForecast(
        net=toy_net("DenoisingUNet"), objective=objective, num_members=3, num_steps=2
    )
    with torch.no_grad():
        for weight in method.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    return method.eval()


@pytest.mark.parametrize("objective", ["flow_matching", "edm"])
def test_a_batch_of_four_equals_four_of_one_in_any_order(objective: str) -> None:
    """Scores would depend on the batch size or on the order of the samples."""
    method, inputs = trained_like(objective), batch(4)
    with torch.no_grad():
        together = method.answer(inputs, 4)["ensemble"]
        back = method.answer({name: v.flip(0) for name, v in inputs.items()}, 4)["ensemble"]
        single = [
            method.answer({name: v[i : i + 1] for name, v in inputs.items()}, 4)["ensemble"]
            for i in range(4)
        ]
    assert together.shape == (4, 3, 4, *TOY_SHAPE[1:])
    torch.testing.assert_close(together, back.flip(0), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(together, torch.cat(single), rtol=1e-5, atol=1e-5)
    assert together.std(dim=1).mean() > 0.1


def test_the_forecast_is_the_mean_of_the_members_in_data_units() -> None:
    """Errors of the forecast would be those of something else than documented."""
    scaling = {"type": "SequencePreprocessor", "mean": 5.0, "std": 2.0}
    method = FlowForecast(net=Steady(), num_members=6, data_preprocessor=scaling)
    frames = torch.full((1, *TOY_SHAPE), 9.0)  # 2 after normalisation
    data = method.data_preprocessor({"inputs": {"frames": frames, "seed": torch.tensor([3])}})
    with torch.no_grad():
        fields = method.answer(data["inputs"], 4)
    torch.testing.assert_close(fields["forecast"], fields["ensemble"].mean(dim=1))
    # the paths are noise + velocity, so members are N(5 + 2 * 2, 2 ** 2)
    assert float(fields["ensemble"].mean()) == pytest.approx(9.0, abs=0.15)
    assert float(fields["ensemble"].std()) == pytest.approx(2.0, abs=0.1)


def test_a_change_is_added_to_the_last_frame() -> None:
    """Forecasts would start from a wrong frame, or have a wrong spread."""
    inputs = batch(1)
    method = FlowForecast(net=Steady(), num_members=2, of="change", data_std=0.1)
    plain = FlowForecast(net=Steady(), num_members=2)
    with torch.no_grad():
        change = method.forecast(inputs, 4)["ensemble"]
        expected = 0.1 * plain.forecast(inputs, 4)["ensemble"] + inputs["frames"][:, None, -1:]
    torch.testing.assert_close(change, expected)


def test_a_longer_horizon_continues_each_member_by_its_own_frames() -> None:
    """A further block would be conditioned on the frames of another member, or on old ones."""
    method, inputs = trained_like("flow_matching"), batch(2)
    with torch.no_grad():
        short = method.forecast(inputs, 4)["ensemble"]
        long = method.forecast(inputs, 8)["ensemble"]
        other = method.forecast({**inputs, "frames": 1 - inputs["frames"]}, 8)["ensemble"]
    torch.testing.assert_close(long[:, :, :4], short, rtol=1e-5, atol=1e-5)
    assert (long[:, :, 4:] - other[:, :, 4:]).abs().mean() > 1e-4
    steady = FlowForecast(net=Steady(), num_members=2)
    with torch.no_grad():
        blocks = steady.forecast(inputs, 8)["ensemble"]
    # noise + mean of the block before
    rest = blocks[:, :, 4:] - blocks[:, :, :4].mean(dim=2, keepdim=True)
    assert float(rest.std()) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("objective", ["flow_matching", "edm"])
def test_invalid_pixels_change_neither_loss_nor_gradient(objective: str) -> None:
    """A net would be trained on the fill values of gaps."""
    method = trained_like(objective).train()
    toys = method.toy_batch(2)
    valid = torch.rand(2, *TOY_SHAPE, generator=torch.Generator().manual_seed(0)) > 0.4

    def step(fill: float) -> list[Tensor]:
        frames = torch.where(valid, toys["data_samples"]["frames"], fill)
        samples = {"frames": frames, "valid": valid}
        data = {"inputs": toys["inputs"], "data_samples": samples}
        torch.manual_seed(0)
        terms = method(**method.data_preprocessor(data, training=True), mode="loss")
        method.zero_grad()
        terms["loss_denoising"].backward()
        return [terms["loss_denoising"].detach()] + [w.grad.clone() for w in method.parameters()]

    for first, second in zip(step(0.0), step(float("nan")), strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=0)
    # the loss is the mean over valid pixels: an error of others would change it
    torch.manual_seed(0)
    full = method(**method.data_preprocessor(toys, training=True), mode="loss")
    assert not torch.equal(full["loss_denoising"].detach(), step(0.0)[0])


def test_the_loss_is_the_mean_squared_velocity_error_over_valid_pixels() -> None:
    """The loss would be divided by the pixels of gaps too."""
    method = FlowForecast(net=Steady())
    past = torch.zeros(1, *TOY_SHAPE)
    valid = torch.zeros(1, *TOY_SHAPE, dtype=torch.bool)
    valid[..., :4] = True
    targets: Any = {"frames": torch.full((1, *TOY_SHAPE), 3.0), "valid": valid}
    torch.manual_seed(0)
    found = method.loss({"frames": past}, targets)["loss_denoising"]
    torch.manual_seed(0)
    torch.rand(1)
    velocity = 3.0 - torch.randn(1, *TOY_SHAPE)
    torch.testing.assert_close(found, velocity[valid].square().mean())


@pytest.mark.parametrize(
    ("objective", "solver", "calls"),
    [
        ("flow_matching", "heun", 2 * 3),
        ("flow_matching", "euler", 3),
        ("edm", "heun", 2 * 3 - 1),
        ("edm", "euler", 3),
    ],
)
def test_flops_count_every_call_of_the_net_for_every_member(
    objective: str, solver: str, calls: int
) -> None:
    """A table would compare the cost of one call with that of a deterministic forecast."""
    net = toy_net("DenoisingUNet")
    inputs = batch(1)
    costs = {}
    for members in (1, 2):
        method = FlowForecast(
            net=net, objective=objective, solver=solver, num_steps=3, num_members=members
        )
        costs[members] = count_flops(method, inputs, 4).total
    once = FlowForecast(net=net, solver="euler", num_steps=1, num_members=1)
    assert costs[1] == calls * count_flops(once, inputs, 4).total
    assert costs[2] == 2 * costs[1]


def test_covariates_are_channels_of_the_past() -> None:
    """A net would see the covariates of another sample or step."""
    inputs: Any = {
        "frames": torch.rand(2, 3, 1, 4, 4),
        "dynamic": torch.rand(2, 3, 2, 4, 4),
        "static": torch.rand(2, 5, 4, 4),
    }
    found = condition_of(inputs)
    assert found.shape == (2, 3, 8, 4, 4)
    torch.testing.assert_close(found[:, :, :1], inputs["frames"])
    torch.testing.assert_close(found[:, :, 1:3], inputs["dynamic"])
    torch.testing.assert_close(found[:, 2, 3:], inputs["static"])


def test_mistakes_are_answered_in_one_sentence() -> None:
    """A user would read a traceback about shapes."""
    method, inputs = trained_like("flow_matching"), batch(1)
    with pytest.raises(ConfigError, match=r"inputs\['seed'\], which is missing"):
        method.answer({"frames": inputs["frames"]}, 4)
    with pytest.raises(ShapeError, match=r"set model\.net\.num_targets=6"):
        method.loss(inputs, {"frames": torch.zeros(1, 6, *TOY_SHAPE[1:])})
    with pytest.raises(ShapeError, match=r"set model\.net\.num_inputs=3"):
        method.answer({**inputs, "frames": inputs["frames"][:, :3]}, 4)
    dynamic = torch.zeros(1, 4, 1, 16, 16)
    with pytest.raises(ShapeError, match="covariates of future frames"):
        method.answer({**inputs, "dynamic": dynamic}, 5)
    odd = {**inputs, "frames": torch.zeros(1, 4, 1, 15, 16)}
    with pytest.raises(ShapeError, match="no multiple"):
        method.answer(odd, 4)
    with pytest.raises(ConfigError, match="num_steps=1 is too few"):
        FlowForecast(net=Steady(), objective="edm", num_steps=1)


def test_the_noise_of_a_block_does_not_depend_on_the_number_of_blocks() -> None:
    """The first frames would depend on the horizon; torch draws sixteen values at a time."""
    seeds = torch.tensor([3, 2**62 + 1])
    short, long = noise_of(seeds, 1, (3, 7)), noise_of(seeds, 3, (3, 7))
    assert long.shape == (2, 3, 3, 7)
    assert torch.equal(long[:, :1], short)
    assert not torch.equal(long[:, 1], long[:, 0])
    assert not torch.equal(short[0], short[1])
