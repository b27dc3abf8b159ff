"""Unroll a recurrent net over time."""

import torch
from torch import Tensor

from openstl_ext.methods.rollout import rollout


class Recorder:
    """Net that adds one to its frame, counts its steps and keeps its inputs."""

    def __init__(self) -> None:
        self.inputs: list[Tensor] = []

    def __call__(self, frame: Tensor, state: int | None) -> tuple[Tensor, int]:
        assert state == (len(self.inputs) or None), "the state was lost or kept from another run"
        self.inputs.append(frame)
        return frame + 1, len(self.inputs)


def sequence(batch: int, steps: int) -> Tensor:
    """Frames whose every value is 100 * sample + 10 * time."""
    value = 100 * torch.arange(batch).view(-1, 1) + 10 * torch.arange(steps)
    return value.float().view(batch, steps, 1, 1, 1).expand(-1, -1, 1, 2, 2)


def test_each_sample_receives_the_frames_that_its_flags_select() -> None:
    """A sample would be trained on the observed frames of another schedule."""
    net = Recorder()
    observed = torch.tensor([[True, True, False], [True, False, True]])
    outputs, _ = rollout(net, sequence(2, 3), observed, num_steps=3)
    received = torch.stack(net.inputs, dim=1)[:, :, 0, 0, 0]
    assert received.tolist() == [[0, 10, 11], [100, 101, 120]]
    assert outputs[:, :, 0, 0, 0].tolist() == [[1, 11, 12], [101, 102, 121]]


def test_after_the_known_frames_a_net_receives_its_own_output() -> None:
    """A forecast would end with the last known frame."""
    observed = torch.ones(1, 2, dtype=torch.bool)
    outputs, auxiliary = rollout(Recorder(), sequence(1, 2), observed, num_steps=5)
    assert auxiliary == {}
    assert outputs[0, :, 0, 0, 0].tolist() == [1, 11, 12, 13, 14]


def test_gradients_pass_through_a_nets_own_frames() -> None:
    """A detached frame would train each step for itself, without the steps before it."""
    factor = torch.tensor(2.0, requires_grad=True)
    outputs, _ = rollout(
        lambda frame, state: (frame * factor, state),
        torch.ones(1, 1, 1, 1, 1),
        torch.ones(1, 1, dtype=torch.bool),
        num_steps=3,
    )
    outputs[:, -1].sum().backward()
    assert factor.grad == 3 * 2.0**2  # d/df of f ** 3
