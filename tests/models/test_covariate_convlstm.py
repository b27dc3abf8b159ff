"""ConvLSTM with covariates, one horizon."""

import pytest
import torch
from torch.nn import functional as F

from openstl_ext.errors import ShapeError
from openstl_ext.models.covariate_convlstm import CovariateConvLSTM
from tests.toy_net import toy_net


@pytest.mark.parametrize(
    ("hidden", "layers", "size"),
    [
        (16, 1, 10_449),
        (16, 2, 28_945),
        (32, 1, 39_329),
        (32, 2, 113_185),
        (64, 1, 152_385),
        (64, 2, 447_553),
    ],
)
def test_it_has_the_published_sizes(hidden: int, layers: int, size: int) -> None:
    """A size that differs is another net."""
    with torch.device("meta"):
        net = CovariateConvLSTM(hidden_channels=hidden, num_layers=layers)
    assert sum(p.numel() for p in net.parameters()) == size


def test_it_reads_the_frames_in_order_and_says_a_value() -> None:
    """Written down once more by hand: zero start, elevation at each step, no residual."""
    torch.manual_seed(0)
    net = CovariateConvLSTM(hidden_channels=3)
    frames, static = torch.rand(2, 3, 1, 5, 6), torch.rand(2, 1, 5, 6)
    conv = net.trunk.cells[0].gates.conv
    hidden = kept = torch.zeros(2, 3, 5, 6)
    for frame in frames.unbind(1):
        x = torch.cat([frame, static, hidden], dim=1)
        write, forget, new, say = F.conv2d(x, conv.weight, conv.bias, padding=1).chunk(4, dim=1)
        kept = forget.sigmoid() * kept + write.sigmoid() * new.tanh()
        hidden = say.sigmoid() * kept.tanh()
    said = net(frames, static=static)
    torch.testing.assert_close(said.central, net.head(hidden))
    assert said.lower is said.upper is None


def test_what_it_was_not_built_for_is_left_aside() -> None:
    """One dataset serves nets of all kinds; a net must not stumble over what it does not read."""
    net = CovariateConvLSTM(hidden_channels=3, static_channels=0)
    frames = torch.rand(1, 3, 1, 8, 8)
    beside = {"dynamic": torch.rand(1, 3, 4, 8, 8), "static": torch.rand(1, 2, 8, 8)}
    said = net(frames, **beside, lonlat=torch.rand(1, 2, 8, 8)).central
    torch.testing.assert_close(said, net(frames).central, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["dynamic", "static"])
def test_what_it_was_built_for_is_read(name: str) -> None:
    """A covariate that changes nothing is a covariate that got lost."""
    torch.manual_seed(0)
    net = CovariateConvLSTM(hidden_channels=3, static_channels=2, dynamic_channels=2)
    beside = {"dynamic": torch.rand(1, 3, 2, 8, 8), "static": torch.rand(1, 2, 8, 8)}
    frames = torch.rand(1, 3, 1, 8, 8)
    before = net(frames, **beside).central
    beside[name] = beside[name] + 1
    assert not torch.allclose(net(frames, **beside).central, before)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, r"2 channels of `static`.*\(1, 2, 8, 8\); got none"),
        ({"static": torch.rand(1, 3, 8, 8)}, r"`static` must be of shape \(1, 2, 8, 8\).*3, 8, 8"),
        ({"static": torch.rand(1, 2, 8, 9)}, r"got \(1, 2, 8, 9\)"),
        (
            {"static": torch.rand(1, 2, 8, 8), "dynamic": torch.rand(1, 2, 1, 8, 8)},
            r"`dynamic` must be of shape \(1, 3, 1, 8, 8\).*got \(1, 2, 1, 8, 8\)",
        ),
    ],
)
def test_a_covariate_that_does_not_fit_is_refused(given: dict, said: str) -> None:
    """Broadcast silently, a single map would stand for seven."""
    net = CovariateConvLSTM(hidden_channels=3, static_channels=2, dynamic_channels=1)
    with pytest.raises(ShapeError, match=said):
        net(torch.rand(1, 3, 1, 8, 8), **{"dynamic": torch.rand(1, 3, 1, 8, 8), **given})


def test_frames_of_two_variables_are_refused() -> None:
    """The second would be read as elevation."""
    with pytest.raises(ShapeError, match=r"one variable.*got \(1, 3, 2, 8, 8\)"):
        toy_net(CovariateConvLSTM)(torch.rand(1, 3, 2, 8, 8), static=torch.rand(1, 1, 8, 8))
