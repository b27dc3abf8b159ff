"""UNet over stacked frames."""

from typing import Any

import pytest
import torch

from openstl_ext.errors import ShapeError
from openstl_ext.layers.memory_format import published_order
from openstl_ext.models.unet import UNet


def small(**arguments: Any) -> UNet:
    torch.manual_seed(0)
    return UNet(**{"in_channels": 2, "num_steps": 3, "widths": (4, 6, 8)} | arguments)


@pytest.mark.parametrize(
    ("arguments", "published"),
    [
        ({"in_channels": 4, "num_steps": 1}, 31_385_409),
        ({"in_channels": 4, "num_steps": 34}, 31_461_441),
        ({"in_channels": 3, "num_steps": 1, "num_classes": 2, "bilinear": False}, 36_957_378),
    ],
)
def test_it_has_the_published_size(arguments: dict, published: int) -> None:
    """Another number of parameters is another net."""
    with torch.device("meta"):
        assert sum(p.numel() for p in UNet(**arguments).parameters()) == published


@pytest.mark.parametrize("bilinear", [True, False])
@pytest.mark.parametrize(("height", "width"), [(4, 4), (13, 22), (16, 7)])
def test_any_size_is_possible_in_fast_and_published_order(
    bilinear: bool, height: int, width: int
) -> None:
    """Maps that a pool rounded down would not fit their skips."""
    net = small(bilinear=bilinear, num_classes=5).double().eval()
    frames = torch.rand(2, 3, 2, height, width).double()
    with torch.no_grad():
        logits = net(frames)
        with published_order():
            expected = net(frames)
    assert logits.shape == (2, 5, height, width)
    torch.testing.assert_close(logits, expected)


def test_the_frames_are_stacked_in_time_order() -> None:
    """Published weights expect all channels of a frame next to each other."""
    net = small().eval()
    alone = small(in_channels=6, num_steps=1).eval()
    alone.load_state_dict(net.state_dict())
    frames = torch.rand(1, 3, 2, 8, 8)
    stacked = torch.cat([frames[:, t] for t in range(3)], dim=1).unsqueeze(1)
    torch.testing.assert_close(net(frames), alone(stacked))


def test_frames_that_do_not_fit_are_rejected() -> None:
    """The message of torch would not name the number of frames."""
    net = small()
    with pytest.raises(ShapeError, match=r"built for 3 frames.*got 4.*`num_steps`"):
        net(torch.rand(1, 4, 2, 8, 8))
    with pytest.raises(ShapeError, match=r"frames of 2 channels.*got 3 of 1"):
        net(torch.rand(1, 3, 1, 8, 8))
    with pytest.raises(ShapeError, match=r"at least 4 x 4 pixels; got .* 3 x 8"):
        net(torch.rand(1, 3, 2, 3, 8))
