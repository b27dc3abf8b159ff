"""Ensembles of deterministic nets."""

from typing import Any

import pytest
import torch
from torch import nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import TOY_SHAPE
from openstl_ext.methods.direct_forecast import DirectForecast
from openstl_ext.methods.ensemble_forecast import EnsembleForecast
from openstl_ext.models.simvp import SimVP
from tests.toy_net import toy_net

ARGUMENTS: dict[str, Any] = {"loss": {"type": "L2"}}


def small(**changes: Any) -> dict[str, Any]:
    return {"type": "SimVP", **SimVP.toy_arguments(), **changes}


def batch(size: int) -> Any:
    frames = torch.rand(size, *TOY_SHAPE, generator=torch.Generator().manual_seed(1))
    return {"frames": frames, "seed": torch.arange(size) + 10}


def test_members_are_the_forecasts_of_their_nets() -> None:
    """A member would be forecast by the weights of another run."""
    method = EnsembleForecast(net=small(), num_members=3, **ARGUMENTS).eval()
    inputs = batch(2)
    with torch.no_grad():
        fields = method.forecast(inputs, 6)
        for i, net in enumerate((method.net, *method.others)):
            alone = DirectForecast(net=net, **ARGUMENTS).eval()
            expected = alone.forecast(inputs, 6)["forecast"]
            torch.testing.assert_close(fields["ensemble"][:, i], expected)
    torch.testing.assert_close(fields["forecast"], fields["ensemble"].mean(dim=1))
    assert fields["ensemble"].std(dim=1).mean() > 1e-4  # other initial weights


def test_each_net_has_the_gradient_of_a_training_alone() -> None:
    """A member would be trained with a fraction of its rate, or on the error of the mean."""
    method = EnsembleForecast(net=small(), num_members=2, **ARGUMENTS)
    inputs = batch(2)
    targets: Any = {"frames": torch.zeros(2, *TOY_SHAPE)}
    sum(method.loss(inputs, targets).values()).backward()
    found = [w.grad.clone() for w in method.others[0].parameters()]
    method.zero_grad()
    alone = DirectForecast(net=method.others[0], **ARGUMENTS)
    alone.loss(inputs, targets)["loss_frames"].backward()
    for ours, weight in zip(found, method.others[0].parameters(), strict=True):
        torch.testing.assert_close(ours, weight.grad)


def test_dropout_of_a_sample_depends_on_its_seed_only() -> None:
    """Scores would depend on the batch, and forecasts could not be repeated."""
    method = EnsembleForecast(
        net=small(dropout=0.3), num_members=3, dropout=True, **ARGUMENTS
    ).eval()
    inputs, state = batch(4), torch.get_rng_state()
    with torch.no_grad():
        together = method.forecast(inputs, 4)["ensemble"]
        back = method.forecast({k: v.flip(0) for k, v in inputs.items()}, 4)["ensemble"]
        alone = method.forecast({k: v[2:3] for k, v in inputs.items()}, 4)["ensemble"]
    assert together.shape == (4, 3, *TOY_SHAPE)
    torch.testing.assert_close(back.flip(0), together)
    torch.testing.assert_close(alone[0], together[2])
    assert together.std(dim=1).mean() > 1e-3
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(layer.training for layer in method.modules())


def test_weights_of_a_deterministic_training_fit_an_ensemble_by_dropout() -> None:
    """Each checkpoint would have to be converted or trained again."""
    trained = DirectForecast(net=small(dropout=0.3), **ARGUMENTS)
    ensemble = EnsembleForecast(net=small(dropout=0.3), dropout=True, **ARGUMENTS)
    ensemble.load_state_dict(trained.state_dict())


def test_an_ensemble_without_spread_is_refused() -> None:
    """Scores of an ensemble would be computed of equal members."""
    with pytest.raises(ConfigError, match="num_members=1 has no spread"):
        EnsembleForecast(net=small(), num_members=1, **ARGUMENTS)
    with pytest.raises(ConfigError, match="DeterministicDenoiser drops nothing"):
        EnsembleForecast(net=toy_net("DeterministicDenoiser"), dropout=True, **ARGUMENTS)


def test_a_finished_net_is_copied() -> None:
    """Members would share their weights in training."""
    net: nn.Module = SimVP(**SimVP.toy_arguments())
    method = EnsembleForecast(net=net, num_members=2, **ARGUMENTS)
    assert method.others[0] is not method.net
