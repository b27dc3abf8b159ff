"""Regression over horizons with gaps: losses, forecasts, and pixels without data."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.calibration import Calibration
from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import HorizonForecast
from openstl_ext.methods.multi_horizon_regression import MultiHorizonRegression
from openstl_ext.postprocessing import ConformalPostprocessor

LEVELS = (0.025, 0.975)
TERMS: dict[str, Any] = {
    "mse": {"loss": {"type": "L2"}, "of": "change"},
    "ssim": {"loss": {"type": "StructuralDissimilarity"}, "weight": 0.2},
    "bands": {"loss": {"type": "LaplacianPyramid"}},
    "histogram": {"loss": {"type": "ChangeHistogram"}, "of": "data_change", "weight": 0.67},
    "lower": {"loss": {"type": "Pinball", "quantile": 0.025}, "of": 0.025},
    "upper": {"loss": {"type": "Pinball", "quantile": 0.975}, "of": 0.975},
}


class Weights(nn.Module):
    """Predict a weighted mean of all frames for each horizon, with an interval."""

    def __init__(self, *, num_horizons: int = 4, length: int = 4, interval: bool = True) -> None:
        super().__init__()
        self.num_horizons, self.interval = num_horizons, interval
        self.mix = nn.Conv2d(length, num_horizons, 3, padding=1)
        self.width = nn.Parameter(torch.full((num_horizons, 1, 1), 0.1))

    def forward(
        self,
        frames: Tensor,
        *,
        dynamic: Tensor | None = None,
        static: Tensor | None = None,
        lonlat: Tensor | None = None,
    ) -> HorizonForecast:
        central = self.mix(frames[:, :, 0])
        for extra in (None if dynamic is None else dynamic[:, -1], static):
            central = central if extra is None else central + 0.1 * extra.mean(1, keepdim=True)
        if not self.interval:
            return HorizonForecast(central)
        ends = torch.stack([central - self.width, central + self.width], dim=1)
        return HorizonForecast(central, ends)


def built(strategy: str = "direct", net: Any = None, **options: Any) -> MultiHorizonRegression:
    torch.manual_seed(0)
    net = net or Weights(num_horizons=4 if strategy == "direct" else 1)
    levels = LEVELS if getattr(net, "interval", True) else ()
    fixed = {"net": net, "strategy": strategy, "terms": TERMS, "quantile_levels": levels}
    return MultiHorizonRegression(**{**fixed, **options})


def batch(size: int = 2) -> dict[str, Any]:
    return MultiHorizonRegression.toy_batch(size)


def still(made: dict[str, Any]) -> dict[str, Any]:
    """Return the batch without covariates of future years."""
    del made["inputs"]["dynamic"]
    return made


@pytest.mark.parametrize("strategy", ["direct", "autoregressive"])
@pytest.mark.parametrize("side", ["inputs", "data_samples"])
@pytest.mark.parametrize("filler", [math.nan, math.inf, -9999.0])
def test_invalid_pixels_change_no_loss_gradient_or_forecast(
    strategy: str, side: str, filler: float
) -> None:
    """NaN would end the training; nodata values would be learnt."""
    found = []
    for filled in (0.0, filler):
        preprocessor = {"type": "SequencePreprocessor", "mean": 0.3, "std": 0.2}
        method = built(strategy, data_preprocessor=preprocessor)
        raw = still(batch())
        raw[side]["frames"] = torch.where(raw[side]["valid"], raw[side]["frames"], filled)
        ready = method.data_preprocessor(raw, training=True)
        losses = method(**ready, mode="loss")
        sum(v for k, v in losses.items() if k.startswith("loss_")).backward()
        gradients = [p.grad for p in method.parameters()]
        predicted = method(**method.data_preprocessor(raw), mode="predict")
        found.append([*losses.values(), *gradients, *(s["forecast"] for s in predicted)])
    for expected, other in zip(*found, strict=True):
        assert other.isfinite().all()
        assert torch.equal(expected, other)


def test_nan_covariates_have_no_effect() -> None:
    """Rasters that end at a coast would make the loss NaN."""
    method, raw = built(), batch()
    raw["inputs"]["dynamic"][:, :, 0, :3] = torch.nan
    raw["inputs"]["static"][..., 5] = torch.nan
    losses = method(**method.data_preprocessor(raw, training=True), mode="loss")
    assert all(value.isfinite() for value in losses.values())


@pytest.mark.parametrize("strategy", ["direct", "autoregressive"])
def test_a_batch_without_targets_has_a_zero_loss_with_a_graph(strategy: str) -> None:
    """A batch of open sea would end the run."""
    method, ready = built(strategy), still(batch())
    ready["data_samples"]["valid"] &= False
    losses = method(**ready, mode="loss")
    total = sum(v for k, v in losses.items() if k.startswith("loss_"))
    total.backward()
    assert total.item() == 0
    assert all(p.grad is not None and p.grad.eq(0).all() for p in method.parameters())


def test_horizons_without_targets_are_left_out_of_the_mean() -> None:
    """Windows near the end of the record would have less weight, as upstream."""
    method, ready = built(terms={"mse": {"loss": {"type": "L2"}}}), batch()
    target = ready["data_samples"]
    target["valid"][:, 2:] = False
    predicted = method.forecast(ready["inputs"], 4)["forecast"]
    each = [
        (predicted[:, k] - target["frames"][:, k])[target["valid"][:, k]].square().mean()
        for k in (0, 1)
    ]
    found = method(**ready, mode="loss")["loss_mse"]
    torch.testing.assert_close(found, (each[0] + each[1]) / 2)


def test_terms_are_weighted_logged_and_start_at_their_iteration() -> None:
    """A warm-up would start again after a resume."""
    terms = {
        "mse": {"loss": {"type": "L2"}},
        "late": {"loss": {"type": "L1"}, "weight": 0.5, "start_iteration": 10},
    }
    method = built(terms=terms)
    for iteration, weight in ((9, 0.0), (10, 0.5), (0, 0.0)):
        method.iteration = iteration
        losses = method(**batch(), mode="loss")
        assert losses["late"] > 0
        assert not losses["late"].requires_grad
        torch.testing.assert_close(losses["loss_late"].detach(), weight * losses["late"])
        assert set(losses) == {"mse", "late", "loss_mse", "loss_late"}


def test_each_term_compares_its_quantity() -> None:
    """A pinball loss of the wrong quantile, or a change from the wrong frame, would be trained."""
    preprocessor = {"type": "SequencePreprocessor", "mean": 0.3, "std": 0.2}
    mean = {"type": "L1"}
    ways = ("forecast", "change", "data_change", *LEVELS)
    terms = {str(way).replace(".", "_"): {"loss": mean, "of": way} for way in ways}
    method = built(terms=terms, data_preprocessor=preprocessor)
    ready = method.data_preprocessor(batch(), training=True)
    del ready["inputs"]["valid"], ready["data_samples"]["valid"]
    losses = method(**ready, mode="loss")
    predicted = method.forecast(ready["inputs"], 4)
    target = ready["data_samples"]["frames"]
    torch.testing.assert_close(losses["forecast"], (predicted["forecast"] - target).abs().mean())
    for k, name in enumerate(("0_025", "0_975")):
        expected = (predicted["quantiles"][:, k] - target).abs().mean()
        torch.testing.assert_close(losses[name], expected)
    torch.testing.assert_close(losses["change"], losses["forecast"])
    torch.testing.assert_close(losses["data_change"], 0.2 * losses["forecast"])


def test_change_since_an_invalid_frame_is_not_compared() -> None:
    """Change would be counted from the mean that fills the gap."""
    terms = {"change": {"loss": {"type": "L1"}, "of": "change"}}
    method, ready = built(terms=terms), batch()
    ready["inputs"]["valid"][:, -1, :, 8:] = False
    last = ready["inputs"]["frames"][:, -1:]
    filled = last.clone()
    filled[..., 8:, :] += 5.0
    found = []
    for frames in (last, filled):
        inputs = {**ready["inputs"], "frames": ready["inputs"]["frames"].clone()}
        method.net.mix = nn.Conv2d(4, 4, 1)  # sees no neighbours
        torch.manual_seed(0)
        method.net.mix.reset_parameters()
        inputs["frames"][:, -1:] = frames
        found.append(method.loss(inputs, ready["data_samples"])["change"])
    assert torch.equal(*found)


def test_each_horizon_may_have_its_own_criterion() -> None:
    """Bins of rare change could not be weighted by horizon."""
    each = [{"type": "Pinball", "quantile": q} for q in (0.1, 0.4, 0.6, 0.9)]
    one = built(terms={"a": {"loss": each}})
    ready = batch()
    del ready["data_samples"]["valid"]
    parts = [
        built(terms={"a": {"loss": loss}}).loss(
            ready["inputs"], {"frames": ready["data_samples"]["frames"]}
        )
        for loss in each
    ]
    assert len({p["a"].item() for p in parts}) == 4
    predicted = one.forecast(ready["inputs"], 4)["forecast"]
    target = ready["data_samples"]["frames"]
    by_hand = [
        torch.maximum(q * (t - s), (q - 1) * (t - s)).mean()
        for q, s, t in zip((0.1, 0.4, 0.6, 0.9), predicted.unbind(1), target.unbind(1), strict=True)
    ]
    torch.testing.assert_close(one(**ready, mode="loss")["a"], sum(by_hand).detach() / 4)
    with pytest.raises(ConfigError, match="4 horizons need as many"):
        built(terms={"a": {"loss": each[:2]}})(**ready, mode="loss")


def test_steps_equal_a_rollout_by_hand() -> None:
    """The net would get windows that it never had in training."""
    method = built("autoregressive")
    inputs = still(batch())["inputs"]
    frames, steps = inputs["frames"], []
    for _ in range(6):
        predicted = method.net(frames, static=inputs["static"]).forecast.unsqueeze(2)
        steps.append(predicted)
        frames = torch.cat([frames[:, 1:], predicted], dim=1)
    torch.testing.assert_close(method.forecast(inputs, 6)["forecast"], torch.cat(steps, dim=1))


def test_stepwise_training_uses_the_next_frame_only() -> None:
    """Later targets would leak into the training."""
    method, ready = built("autoregressive"), still(batch())
    before = method(**ready, mode="loss")
    ready["data_samples"]["frames"][:, 1:] = 7.0
    after = method(**ready, mode="loss")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_future_covariates_are_held_only_on_request() -> None:
    """A forecast would use covariates that do not exist."""
    inputs = batch()["inputs"]
    with pytest.raises(ConfigError, match="hold_dynamic"):
        built("autoregressive").forecast(inputs, 2)
    method = built("autoregressive", hold_dynamic=True)
    predicted = method.forecast(inputs, 2)["forecast"]
    second = torch.cat([inputs["frames"][:, 1:], predicted[:, :1]], dim=1)
    held = torch.cat([inputs["dynamic"][:, 1:], inputs["dynamic"][:, -1:]], dim=1)
    expected = method.net(second, dynamic=held, static=inputs["static"]).forecast
    torch.testing.assert_close(predicted[:, 1, 0], expected[:, 0])


def test_a_direct_net_has_a_largest_horizon() -> None:
    """Frames beyond the horizons of the net would be invented."""
    method, inputs = built(), batch()["inputs"]
    assert method.max_horizon == 4
    assert method.forecast(inputs, 2)["quantiles"].shape[:3] == (2, 2, 2)
    assert method.tensor({**inputs, "frames": inputs["frames"]}).shape[1] == 4
    with pytest.raises(ShapeError, match="predicts 4 horizons, but horizon=5"):
        method.forecast(inputs, 5)


def test_calibrated_ends_lie_a_margin_further_out_in_data_units() -> None:
    """A margin in normalised units would be wrong by the deviation of the data."""
    preprocessor = {"type": "SequencePreprocessor", "mean": 0.3, "std": 0.2}
    method, ready = built(data_preprocessor=preprocessor), batch()
    margins = Calibration(
        coverage=0.95, levels=LEVELS, margin=(0.01, -0.02, None), num_valid=(9, 9, 0)
    )
    calibrate = ConformalPostprocessor(margins, method.quantile_levels)
    plain = method.answer(ready["inputs"], 4)["quantiles"].clone()
    fields = method.answer(ready["inputs"], 4)
    changed = calibrate(fields)["quantiles"]
    torch.testing.assert_close(fields["quantiles"], plain, rtol=0, atol=0)
    for k, margin in enumerate((0.01, -0.02)):
        for end, sign in ((0, -1), (1, 1)):
            moved = changed[:, end, k] - plain[:, end, k]
            expected = torch.full_like(moved, sign * margin)
            torch.testing.assert_close(moved, expected, atol=1e-6, rtol=0)
    assert changed[:, :, 2:].isnan().all()  # no margin is known there
    (sample, *_) = method(**ready, mode="predict")
    torch.testing.assert_close(sample["quantile_levels"], torch.tensor(LEVELS))
    single = calibrate({"quantiles": sample["quantiles"]})["quantiles"]
    torch.testing.assert_close(single, changed[0], equal_nan=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "autoregresive"}, "autoregressive"),
        ({"terms": {}}, "at least one"),
        ({"terms": {"a": {"weight": 1.0}}}, "'a' needs a loss"),
        ({"terms": {"a": {"loss": {"type": "L2"}, "wieght": 1.0}}}, "weight"),
        ({"terms": {"a": {"loss": {"type": "L2"}, "of": "forcast"}}}, "forecast"),
    ],
)
def test_wrong_arguments_are_rejected(options: dict, message: str) -> None:
    """A misspelt weight would be 1."""
    with pytest.raises(ConfigError, match=message):
        built(**{"strategy": "direct", **options})


def test_a_term_of_an_unknown_quantile_is_rejected() -> None:
    """The term would be missing from the loss."""
    with pytest.raises(ConfigError, match="a level must be in quantile_levels"):
        built(net=Weights(interval=False))(**batch(), mode="loss")
