"""Unrolling a net over time."""

import torch
from torch import Tensor

from openstl_ext.methods.rollout import rollout


class Recorder:
    """A net that adds one to its frame and counts its steps; it remembers what it was fed."""

    def __init__(self) -> None:
        self.fed: list[Tensor] = []

    def __call__(self, frame: Tensor, state: int | None) -> tuple[Tensor, int]:
        assert state == (len(self.fed) or None), "the state was lost or kept from another run"
        self.fed.append(frame)
        return frame + 1, len(self.fed)


def sequence(batch: int, steps: int) -> Tensor:
    """Frames whose every value is 100 * sample + 10 * time."""
    value = 100 * torch.arange(batch).view(-1, 1) + 10 * torch.arange(steps)
    return value.float().view(batch, steps, 1, 1, 1).expand(-1, -1, 1, 2, 2)


def test_each_sample_is_fed_what_its_flags_say() -> None:
    """Flags that leak between samples would show one of them another's truth."""
    net = Recorder()
    observed = torch.tensor([[True, True, False], [True, False, True]])
    outputs = rollout(net, sequence(2, 3), observed, num_steps=3)
    fed = torch.stack(net.fed, dim=1)[:, :, 0, 0, 0]
    assert fed.tolist() == [[0, 10, 11], [100, 101, 120]]
    assert outputs[:, :, 0, 0, 0].tolist() == [[1, 11, 12], [101, 102, 121]]


def test_beyond_the_known_frames_a_net_lives_on_its_own() -> None:
    """This is what a forecast is."""
    outputs = rollout(Recorder(), sequence(1, 2), torch.ones(1, 2, dtype=torch.bool), num_steps=5)
    assert outputs[0, :, 0, 0, 0].tolist() == [1, 11, 12, 13, 14]


def test_gradients_pass_through_a_nets_own_frames() -> None:
    """A detached frame would train each step as if the ones before it could not be helped."""
    factor = torch.tensor(2.0, requires_grad=True)
    outputs = rollout(
        lambda frame, state: (frame * factor, state),
        torch.ones(1, 1, 1, 1, 1),
        torch.ones(1, 1, dtype=torch.bool),
        num_steps=3,
    )
    outputs[:, -1].sum().backward()
    assert factor.grad == 3 * 2.0**2  # d/df of f ** 3
