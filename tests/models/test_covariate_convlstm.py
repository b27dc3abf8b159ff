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
    """Another number of parameters is another net."""
    with torch.device("meta"):
        net = CovariateConvLSTM(hidden_channels=hidden, num_layers=layers)
    assert sum(p.numel() for p in net.parameters()) == size


def test_it_equals_a_convlstm_written_by_hand() -> None:
    """The order of frames, the static covariate at each step, or the output would be wrong."""
    torch.manual_seed(0)
    net = CovariateConvLSTM(hidden_channels=3)
    frames, static = torch.rand(2, 3, 1, 5, 6), torch.rand(2, 1, 5, 6)
    conv = net.trunk.cells[0].gates.conv
    hidden = kept = torch.zeros(2, 3, 5, 6)
    for frame in frames.unbind(1):
        x = torch.cat([frame, static, hidden], dim=1)
        write, forget, new, out = F.conv2d(x, conv.weight, conv.bias, padding=1).chunk(4, dim=1)
        kept = forget.sigmoid() * kept + write.sigmoid() * new.tanh()
        hidden = out.sigmoid() * kept.tanh()
    predicted = net(frames, static=static)
    torch.testing.assert_close(predicted.forecast, net.head(hidden))
    assert predicted.quantiles is None


def test_covariates_that_it_was_not_built_with_are_ignored() -> None:
    """One dataset could not be used for nets with and without covariates."""
    net = CovariateConvLSTM(hidden_channels=3, static_channels=0)
    frames = torch.rand(1, 3, 1, 8, 8)
    covariates = {"dynamic": torch.rand(1, 3, 4, 8, 8), "static": torch.rand(1, 2, 8, 8)}
    predicted = net(frames, **covariates, lonlat=torch.rand(1, 2, 8, 8)).forecast
    torch.testing.assert_close(predicted, net(frames).forecast, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["dynamic", "static"])
def test_covariates_that_it_was_built_with_change_the_output(name: str) -> None:
    """A covariate would have no effect."""
    torch.manual_seed(0)
    net = CovariateConvLSTM(hidden_channels=3, static_channels=2, dynamic_channels=2)
    covariates = {"dynamic": torch.rand(1, 3, 2, 8, 8), "static": torch.rand(1, 2, 8, 8)}
    frames = torch.rand(1, 3, 1, 8, 8)
    before = net(frames, **covariates).forecast
    covariates[name] = covariates[name] + 1
    assert not torch.allclose(net(frames, **covariates).forecast, before)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"2 channels of `static`.*\(1, 2, 8, 8\); add these covariates"),
        ({"static": torch.rand(1, 3, 8, 8)}, r"`static` must have shape \(1, 2, 8, 8\).*3, 8, 8"),
        ({"static": torch.rand(1, 2, 8, 9)}, r"got \(1, 2, 8, 9\)"),
        (
            {"static": torch.rand(1, 2, 8, 8), "dynamic": torch.rand(1, 2, 1, 8, 8)},
            r"`dynamic` must have shape \(1, 3, 1, 8, 8\).*got \(1, 2, 1, 8, 8\)",
        ),
    ],
)
def test_a_covariate_of_another_shape_is_rejected(given: dict, message: str) -> None:
    """A single map would be broadcast to several channels."""
    net = CovariateConvLSTM(hidden_channels=3, static_channels=2, dynamic_channels=1)
    with pytest.raises(ShapeError, match=message):
        net(torch.rand(1, 3, 1, 8, 8), **{"dynamic": torch.rand(1, 3, 1, 8, 8), **given})


def test_frames_of_two_variables_are_rejected() -> None:
    """The second variable would be used as elevation."""
    with pytest.raises(ShapeError, match=r"one variable.*got \(1, 3, 2, 8, 8\)"):
        toy_net(CovariateConvLSTM)(torch.rand(1, 3, 2, 8, 8), static=torch.rand(1, 1, 8, 8))
