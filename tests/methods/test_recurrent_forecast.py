"""Loss, forecast and auxiliary losses of a recurrent net."""

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import RecurrentModel, RegularizedRecurrentModel
from openstl_ext.methods.recurrent_forecast import RecurrentForecast
from tests.toys import toy_method, toy_net


class Shift(nn.Module):
    """Add a learnt number to a frame."""

    interface = RecurrentModel

    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Parameter(torch.tensor(0.5))

    def forward(self, frame: Tensor, state: None) -> tuple[Tensor, None]:
        return frame + self.step, state


class Decoupled(Shift):
    """Count the steps; the auxiliary losses of step t are t and 10 times the learnt number."""

    interface = RegularizedRecurrentModel

    def forward(self, frame: Tensor, state: int | None) -> tuple[Tensor, int]:
        return frame + self.step, (state or 0) + 1

    def auxiliary_losses(self, state: int) -> dict[str, Tensor]:
        return {"count": torch.tensor(float(state)), "size": 10 * self.step}


def method(teacher_forcing: str = "FreeRunning", **arguments: object) -> RecurrentForecast:
    fixed = {"teacher_forcing": {"type": teacher_forcing}, "loss": {"type": "L2"}}
    return RecurrentForecast(**{"net": Shift(), **fixed, **arguments})


def batch(past: int = 3, future: int = 2) -> tuple[dict, dict]:
    """Frames that rise by one each step."""
    frames = torch.arange(past + future).float().view(1, -1, 1, 1, 1).repeat(2, 1, 1, 2, 2)
    return {"frames": frames[:, :past]}, {"frames": frames[:, past:]}


def test_the_loss_is_the_mean_over_all_frames_but_the_first() -> None:
    """Published recipes include the past frames in the loss; ours would train another model."""
    # errors: -0.5 after an observed frame (3 steps), then -1 after its own
    expected = (3 * 0.5**2 + 1.0**2) / 4
    assert method().loss(*batch())["loss_frames"].item() == pytest.approx(expected)


def test_the_forecast_begins_after_the_last_frame() -> None:
    """Every lead would be compared with the target of another."""
    inputs, _ = batch()
    forecast = method().forecast(inputs, horizon=3)["forecast"]
    assert forecast[0, :, 0, 0, 0].tolist() == [2.5, 3.0, 3.5]


def test_the_schedule_follows_the_iteration() -> None:
    """The net would train on observed frames only if the iteration did not reach its schedule."""
    sampled = method("ScheduledSampling")
    inputs, targets = batch()
    every = 0.5**2  # an observed frame at every step
    assert sampled.loss(inputs, targets)["loss_frames"].item() == pytest.approx(every)
    sampled.iteration = 60_000
    alone = method().loss(inputs, targets)["loss_frames"]
    torch.testing.assert_close(sampled.loss(inputs, targets)["loss_frames"], alone)


def test_invalid_pixels_are_not_in_the_loss() -> None:
    """The net would learn the fill value of gaps."""
    inputs, targets = batch()
    valid = torch.ones_like(targets["frames"], dtype=torch.bool)
    valid[:, :, :, 0, 0] = False
    targets["frames"][:, :, :, 0, 0] = 99.0
    inputs["valid"] = torch.ones_like(inputs["frames"], dtype=torch.bool)
    targets["valid"] = valid
    # 4 pixels of frames 1 and 2, then 3 of frames 3 and 4, of which the last is 1 off
    expected = (8 * 0.5**2 + 3 * 0.5**2 + 3 * 1.0**2) / 14
    assert method().loss(inputs, targets)["loss_frames"].item() == pytest.approx(expected)


@pytest.mark.parametrize("recompute", [False, True])
def test_auxiliary_losses_are_averaged_over_the_steps_and_weighted_by_name(recompute: bool) -> None:
    """The regularisation would depend on the length of the sequence."""
    weights = {"count": 0.5, "size": 2.0}
    regularized = method(net=Decoupled(), auxiliary_weights=weights, recompute_steps=recompute)
    terms = regularized.loss(*batch())
    assert set(terms) == {"loss_frames", "loss_count", "loss_size"}
    assert terms["loss_count"].item() == 0.5 * (1 + 2 + 3 + 4) / 4
    assert terms["loss_size"].item() == 2.0 * 10 * 0.5
    terms["loss_size"].backward()
    assert regularized.net.step.grad == 2.0 * 10
    torch.testing.assert_close(terms["loss_frames"], method().loss(*batch())["loss_frames"])
    inputs, _ = batch()
    assert set(regularized.forecast(inputs, horizon=1)) == {"forecast"}


@pytest.mark.parametrize("weights", [None, {"count": 1.0}, {"count": 1, "size": 1, "sise": 1}])
def test_every_auxiliary_loss_needs_a_weight(weights: dict[str, float] | None) -> None:
    """A misspelt name would leave a term of the published loss out."""
    names = sorted(weights or {})
    with pytest.raises(ConfigError, match=r"losses of Decoupled are \['count', 'size'\]") as error:
        method(net=Decoupled(), auxiliary_weights=weights).loss(*batch())
    assert f"auxiliary_weights names {names}" in str(error.value)


def test_weights_for_a_net_without_auxiliary_losses_are_an_error_at_build() -> None:
    """The weight would have no effect."""
    with pytest.raises(ConfigError, match=r"names \['count'\], but .* of Shift are \[\]"):
        method(auxiliary_weights={"count": 1.0})


def test_the_toy_of_a_regularized_net_has_all_weights() -> None:
    """The contract tests would fail for every such net."""
    toy = toy_method(RecurrentForecast, Decoupled())
    assert toy.auxiliary_weights == {"count": 0.1, "size": 0.1}
    assert "loss_size" in toy(**toy.toy_batch(2), mode="loss")


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # the compiler reads it of what it traces
def test_a_compiled_net_keeps_the_names_of_its_weights() -> None:
    """A wrapper would prefix every key, and no checkpoint could be loaded."""
    plain, compiled = method(), method(compiled={"backend": "eager"})
    assert plain.state_dict().keys() == compiled.state_dict().keys()
    inputs, targets = batch()
    torch.testing.assert_close(
        compiled.loss(inputs, targets)["loss_frames"], plain.loss(inputs, targets)["loss_frames"]
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize("name", ["ConvLSTM", "VMRNNB", "VMRNND"])
def test_a_net_compiles_as_one_graph_with_equal_gradients(name: str) -> None:
    """A graph break at the scan would launch as many kernels as without compilation."""
    torch.manual_seed(0)
    nets = [toy_net(name) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    one_graph = {"backend": "aot_eager", "fullgraph": True}
    losses = []
    for net, compiled in zip(nets, (None, one_graph), strict=True):
        model = RecurrentForecast(
            net=net, teacher_forcing={"type": "FreeRunning"}, loss={"type": "L2"}, compiled=compiled
        )
        batch = model.toy_batch(size=2)
        losses.append(model.loss(batch["inputs"], batch["data_samples"])["loss_frames"])
        losses[-1].backward()
    torch.testing.assert_close(losses[1], losses[0])
    for ours, theirs in zip(nets[1].parameters(), nets[0].parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_recomputed_steps_have_the_same_gradients() -> None:
    """An option that saves memory would train another model, drop path included."""
    net = {"type": "VMRNNB", "in_channels": 1, "channels": 16, "depths": (2,), "patch_size": 4}
    gradients = []
    for recompute in (False, True):
        torch.manual_seed(0)
        method = RecurrentForecast(
            net={**net, "drop_path_prob": 0.5},
            teacher_forcing={"type": "ScheduledSampling", "start": 0.5},
            loss={"type": "L2"},
            recompute_steps=recompute,
        ).train()
        torch.manual_seed(1)
        method(**method.toy_batch(2), mode="loss")["loss_frames"].backward()
        gradients.append([p.grad for p in method.parameters()])
    assert all(map(torch.equal, *gradients))
