"""The second device itself: what it refuses and what it allows."""

import copy
import io

import numpy as np
import pytest
import torch
from torch import nn

from tests.second_device import moved, second_device


def test_tensors_of_two_devices_are_not_mixed() -> None:
    """Tests with the second device could not fail."""
    here, ids = torch.ones(3), torch.tensor([0, 2])
    with second_device():
        there = moved(here)
        for mixed in (
            lambda: there + here,
            lambda: torch.cat([there, here]),
            lambda: here[moved(ids)],
            lambda: nn.Linear(3, 1)(there),
        ):
            with pytest.raises(RuntimeError, match="same device"):
                mixed()
        with pytest.raises(TypeError, match="numpy"):
            there.numpy()
        with pytest.raises(TypeError, match="numpy"):
            np.asarray(there)


def test_what_a_gpu_allows_is_allowed() -> None:
    """Correct code would be refused."""
    here = torch.arange(3.0)
    with second_device():
        there = here.to("cuda")
        assert there.device == torch.device("cuda", 0)
        assert (there * torch.tensor(2.0)).tolist() == [0, 2, 4]
        assert there[torch.tensor([2, 0])].tolist() == [2, 0]
        assert torch.zeros(2, device=there.device).is_cuda
        assert torch.tensor([1, 2], device="cuda").is_cuda
        copied = torch.zeros(3).copy_(there)
        assert (copied.device.type, there.cpu().numpy().tolist()) == ("cpu", [0, 1, 2])
        assert float(there.sum()) == 3


def test_a_net_is_trained_copied_and_saved_on_it() -> None:
    """Tests would not reach what training does with a net."""
    torch.manual_seed(0)
    here = nn.Linear(3, 2)
    optimizers = []
    with second_device():
        there = copy.deepcopy(here).to("cuda")
        for net, place in ((here, "cpu"), (there, "cuda")):
            optimizers.append(torch.optim.AdamW(net.parameters(), lr=0.1))
            net(torch.ones(4, 3, device=place)).square().mean().backward()
            optimizers[-1].step()
        assert isinstance(there.weight, nn.Parameter)
        assert there.weight.grad.is_cuda
        buffer = io.BytesIO()
        torch.save(copy.deepcopy(there).state_dict(), buffer)
    buffer.seek(0)
    torch.testing.assert_close(torch.load(buffer), here.state_dict())
