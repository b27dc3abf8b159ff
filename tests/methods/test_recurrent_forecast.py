"""One frame at a time."""

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.methods.recurrent_forecast import RecurrentForecast
from tests.toy_net import toy_net


class Shift(nn.Module):
    """Add a learnt number to a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Parameter(torch.tensor(0.5))

    def forward(self, frame: Tensor, state: None) -> tuple[Tensor, None]:
        return frame + self.step, state


def method(teacher_forcing: str = "FreeRunning", **arguments: object) -> RecurrentForecast:
    return RecurrentForecast(
        net=Shift(), teacher_forcing={"type": teacher_forcing}, loss={"type": "L2"}, **arguments
    )


def batch(past: int = 3, future: int = 2) -> tuple[dict, dict]:
    """Frames that rise by one each step."""
    frames = torch.arange(past + future).float().view(1, -1, 1, 1, 1).repeat(2, 1, 1, 2, 2)
    return {"frames": frames[:, :past]}, {"frames": frames[:, past:]}


def test_the_loss_is_the_mean_over_all_frames_but_the_first() -> None:
    """The warm-up is supervised too in every published recipe; without it nets learn slower."""
    # errors: -0.5 while the truth is shown (3 steps), then -1 once it feeds itself
    expected = (3 * 0.5**2 + 1.0**2) / 4
    assert method().loss(*batch())["loss_frames"].item() == pytest.approx(expected)


def test_the_forecast_begins_after_the_last_frame() -> None:
    """A forecast that is one frame late still looks like one."""
    inputs, _ = batch()
    forecast = method().forecast(inputs, horizon=3)["forecast"]
    assert forecast[0, :, 0, 0, 0].tolist() == [2.5, 3.0, 3.5]


def test_the_schedule_follows_the_iteration() -> None:
    """The net would train on observed frames only if the iteration did not reach its schedule."""
    sampled = method("ScheduledSampling")
    inputs, targets = batch()
    shown = 0.5**2  # the truth at every step
    assert sampled.loss(inputs, targets)["loss_frames"].item() == pytest.approx(shown)
    sampled.iteration = 60_000
    alone = method().loss(inputs, targets)["loss_frames"]
    torch.testing.assert_close(sampled.loss(inputs, targets)["loss_frames"], alone)


def test_pixels_without_truth_do_not_count() -> None:
    """A gap that is scored as zero teaches the net to draw gaps."""
    inputs, targets = batch()
    valid = torch.ones_like(targets["frames"], dtype=torch.bool)
    valid[:, :, :, 0, 0] = False
    targets["frames"][:, :, :, 0, 0] = 99.0
    inputs["valid"] = torch.ones_like(inputs["frames"], dtype=torch.bool)
    targets["valid"] = valid
    # 4 pixels of frames 1 and 2, then 3 of frames 3 and 4, of which the last is 1 off
    expected = (8 * 0.5**2 + 3 * 0.5**2 + 3 * 1.0**2) / 14
    assert method().loss(inputs, targets)["loss_frames"].item() == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # the compiler looks at what it traces
def test_a_compiled_net_keeps_the_names_of_its_weights() -> None:
    """A wrapper would prefix every key, and no checkpoint would fit."""
    plain, compiled = method(), method(compiled={"backend": "eager"})
    assert plain.state_dict().keys() == compiled.state_dict().keys()
    inputs, targets = batch()
    torch.testing.assert_close(
        compiled.loss(inputs, targets)["loss_frames"], plain.loss(inputs, targets)["loss_frames"]
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize("name", ["ConvLSTM", "VMRNNB", "VMRNND"])
def test_a_net_compiles_as_one_graph_and_learns_alike(name: str) -> None:
    """A graph that breaks at the scan launches as many kernels as before."""
    torch.manual_seed(0)
    nets = [toy_net(name) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    whole = {"backend": "aot_eager", "fullgraph": True}
    losses = []
    for net, compiled in zip(nets, (None, whole), strict=True):
        model = RecurrentForecast(
            net=net, teacher_forcing={"type": "FreeRunning"}, loss={"type": "L2"}, compiled=compiled
        )
        batch = model.toy_batch(size=2)
        losses.append(model.loss(batch["inputs"], batch["data_samples"])["loss_frames"])
        losses[-1].backward()
    torch.testing.assert_close(losses[1], losses[0])
    for ours, theirs in zip(nets[1].parameters(), nets[0].parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_steps_computed_again_have_the_same_gradients() -> None:
    """What saves memory must not change what is learnt, drop path included."""
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
