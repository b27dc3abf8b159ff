"""Regression of one variable over several horizons, with covariates, gaps and quantiles."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError, nearest
from openstl_ext.interfaces import CovariateModel, HorizonForecast
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.registry import LOSSES, METHODS, MODELS
from openstl_ext.structures import Inputs, Targets

STRATEGIES = ("direct", "autoregressive")
COMPARED = ("forecast", "change", "data_change")
"""Quantities that a term compares with the target, beside the levels of quantiles."""


@METHODS.register_module()
class MultiHorizonRegression(ForecastMethod):
    """Train on named loss terms where targets exist; forecast all horizons at once or step by step.

    *direct* predicts all horizons of the net; a shorter horizon is cut. *autoregressive* trains on
    the next frame alone, and forecasts by appending the predicted frame and dropping the oldest
    one. It has no limit of the horizon; its quantiles are those of one step, given the frames
    before it.

    Args:
        net: Config of a CovariateModel.
        strategy: ``direct`` or ``autoregressive``.
        terms: By name, each ``dict(loss=..., weight=1.0, of="forecast", start_iteration=0)``.
            ``loss`` is the config of a criterion, or a list with one per horizon. ``of`` names
            what is compared with the target: ``forecast``; ``change`` since the last input frame;
            ``data_change``, the same in data units; or a level of ``quantile_levels``. Before
            ``start_iteration`` the weight of a term is 0. ``loss_<name>`` is minimised;
            ``<name>``, without its weight, is logged.
        quantile_levels: Level of each quantile of the net, ascending; empty for a net without.
        hold_dynamic: Repeat the last dynamic covariates in an autoregressive forecast; by default
            they are rejected there, because their future is not known.
        data_preprocessor: Config of the normalisation.

    Shape:
        - frames: (B, T, 1, H, W), target frames: (B, K, 1, H, W).

    Raises:
        ConfigError: If strategy, a term or its quantity does not exist, the net predicts another
            number of quantiles, or the future of dynamic covariates would be needed.
        ShapeError: If the horizon is larger than that of a direct net.

    Source:
        GMoncrieff/spatio-temporal@4eb523d (autoregressive) and @d765a15 (direct).

    Deviations:
        A horizon without targets is left out of the mean over horizons; upstream adds a 0 for it.
        Upstream trains quantiles by a backward pass of their own; a net whose quantile heads see a
        detached state gets the same gradients from one.
    """

    interface = CovariateModel

    def __init__(
        self,
        *,
        net: dict[str, Any],
        strategy: Literal["direct", "autoregressive"],
        terms: Mapping[str, Mapping[str, Any]],
        quantile_levels: Sequence[float] = (),
        hold_dynamic: bool = False,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        if strategy not in STRATEGIES:
            raise ConfigError(f"strategy {strategy!r} is unknown; {nearest(strategy, STRATEGIES)}")
        if not terms:
            raise ConfigError("terms is empty: name at least one, as in mse=dict(loss=...)")
        self.net = MODELS.build(net)
        self.strategy, self.hold_dynamic = strategy, hold_dynamic
        self.quantile_levels = ascending(quantile_levels)
        self.terms = nn.ModuleDict({name: _Term.of_config(name, t) for name, t in terms.items()})
        for name, term in terms.items():
            self._check_quantity(name, term.get("of", "forecast"))
        if strategy == "direct":
            self.max_horizon = getattr(self.net, "num_horizons", None)

    def _check_quantity(self, name: str, of: Any) -> None:
        """Reject a term of a quantity that is never predicted."""
        known = (*COMPARED, *self.quantile_levels)
        if of not in known:
            raise ConfigError(
                f"the term {name!r} has of={of!r}, which is none of "
                f"{', '.join(map(str, known))}; a level must be in quantile_levels"
            )

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        length = 1 if self.strategy == "autoregressive" else targets["frames"].shape[1]
        target, valid = targets["frames"][:, :length], targets.get("valid")
        valid = None if valid is None else valid[:, :length]
        fields = self.forecast(inputs, length)
        found: dict[str, Tensor] = {}
        terms: dict[str, Any] = dict(self.terms.items())
        for name, term in terms.items():
            value = term(*self._compared(term.of, fields, target, valid, inputs))
            # weight 0 instead of leaving it out: every parameter has a gradient from the start
            weight = term.weight if self.iteration >= term.start_iteration else 0.0
            found |= {f"loss_{name}": weight * value, name: value.detach()}
        return found

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        if self.strategy == "autoregressive":
            return self._step_by_step(inputs, horizon)
        fields = self._predicted(inputs, inputs["frames"], inputs.get("dynamic"))
        available = fields["forecast"].shape[-4]
        if horizon > available:
            raise ShapeError(
                f"{type(self.net).__name__} predicts {available} horizons, but horizon={horizon}; "
                f"use horizon <= {available}, train a net with more horizons, or forecast step by "
                'step with strategy="autoregressive"'
            )
        return {name: field[..., :horizon, :, :, :] for name, field in fields.items()}

    def _step_by_step(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        frames, dynamic = inputs["frames"], inputs.get("dynamic")
        if dynamic is not None and not self.hold_dynamic:
            raise ConfigError(
                "an autoregressive forecast needs dynamic covariates of future years; leave them "
                'out of the dataset, set hold_dynamic=True, or use strategy="direct"'
            )
        steps = []
        for _ in range(horizon):
            fields = self._predicted(inputs, frames, dynamic)
            steps.append({name: field[..., :1, :, :, :] for name, field in fields.items()})
            frames = torch.cat([frames[:, 1:], steps[-1]["forecast"]], dim=1)
            if dynamic is not None:
                dynamic = torch.cat([dynamic[:, 1:], dynamic[:, -1:]], dim=1)
        return {name: torch.cat([step[name] for step in steps], dim=-4) for name in steps[0]}

    def _predicted(
        self, inputs: Inputs, frames: Tensor, dynamic: Tensor | None
    ) -> dict[str, Tensor]:
        """Call the net: ``forecast`` (B,K,1,H,W), ``quantiles`` (B,Q,K,1,H,W) if any."""
        found: HorizonForecast = self.net(
            frames, dynamic=dynamic, static=inputs.get("static"), lonlat=inputs.get("lonlat")
        )
        number = 0 if found.quantiles is None else found.quantiles.shape[1]
        if number != len(self.quantile_levels):
            raise ConfigError(
                f"{type(self.net).__name__} predicts {number} quantiles, but quantile_levels has "
                f"{len(self.quantile_levels)}: {self.quantile_levels}; list the level of each"
            )
        fields = {"forecast": found.forecast, "quantiles": found.quantiles}
        return {name: field.unsqueeze(-3) for name, field in fields.items() if field is not None}

    def _compared(
        self,
        of: str | float,
        fields: dict[str, Tensor],
        target: Tensor,
        valid: Tensor | None,
        inputs: Inputs,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return prediction, target and where they are compared."""
        if of in self.quantile_levels:
            return fields["quantiles"][:, self.quantile_levels.index(float(of))], target, valid
        predicted, last = fields["forecast"], inputs["frames"][:, -1:]
        if of == "forecast":
            return predicted, target, valid
        if "valid" in inputs:  # change since an invalid frame is invalid
            known = inputs["valid"][:, -1:].expand_as(target)
            valid = known if valid is None else valid & known
        if of == "data_change":
            denormalize = self.data_preprocessor.denormalize
            predicted, target, last = map(denormalize, (predicted, target, last))
        return predicted - last, target - last, valid

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net."""
        batch: Any = cls.toy_batch(1)["inputs"]
        with torch.no_grad():
            found: HorizonForecast = net(
                batch["frames"], **{k: v for k, v in batch.items() if k not in ("frames", "valid")}
            )
        terms: dict[str, Any] = {"mse": {"loss": {"type": "L2"}}}
        number = 0 if found.quantiles is None else found.quantiles.shape[1]
        levels = tuple((k + 1) / (number + 1) for k in range(number))
        for level in levels:
            loss = {"type": "Pinball", "quantile": level}
            terms[f"q{100 * level:.0f}"] = {"loss": loss, "of": level}
        return {
            "net": net,
            "strategy": "direct" if found.forecast.shape[1] > 1 else "autoregressive",
            "terms": terms,
            "quantile_levels": levels,
            "hold_dynamic": True,
        }

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Return waves with gaps, a horizon without targets, and covariates without information."""
        batch = ForecastMethod.toy_batch(size)
        frames = batch["inputs"]["frames"]
        slope = torch.linspace(-1, 1, frames.shape[-1]).repeat(size, 1, frames.shape[-2], 1)
        for fields in batch.values():
            fields["valid"] = torch.ones_like(frames, dtype=torch.bool)
            fields["valid"][..., 2:4, 3:6] = False
        batch["data_samples"]["valid"][::2, -1] = False
        for fields in batch.values():
            fields["frames"] = torch.where(fields["valid"], fields["frames"], 0.0)
        batch["inputs"] |= {
            "dynamic": torch.cat([frames, frames.flip(-1)], dim=2),
            "static": slope,
            "lonlat": torch.cat([20 + slope, slope.transpose(-2, -1) - 30], dim=1),
        }
        return batch


class _Term(nn.Module):
    """One named part of the loss."""

    def __init__(
        self,
        *,
        loss: Any,
        weight: float = 1.0,
        of: str | float = "forecast",
        start_iteration: int = 0,
    ) -> None:
        super().__init__()
        several = isinstance(loss, Sequence)
        self.criteria = nn.ModuleList(LOSSES.build(each) for each in (loss if several else [loss]))
        self.weight, self.of, self.start_iteration = weight, of, start_iteration

    @classmethod
    def of_config(cls, name: str, config: Mapping[str, Any]) -> "_Term":
        """Build the term of a config; an error names the term."""
        known = ("loss", "weight", "of", "start_iteration")
        if "loss" not in config:
            raise ConfigError(f"the term {name!r} needs a loss")
        for key in set(config) - set(known):
            raise ConfigError(f"the term {name!r} takes no {key!r}; {nearest(key, known)}")
        term = cls(**config)
        for criterion in term.criteria:
            level = getattr(criterion, "quantile", term.of)
            if isinstance(term.of, float) and level != term.of:
                raise ConfigError(
                    f"the term {name!r} is of quantile {term.of:g}, but its loss is of {level:g}; "
                    "set both to the same level"
                )
        return term

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None) -> Tensor:
        """Compute the mean of the criterion over horizons that have a target; 0 if none has."""
        horizons = target.shape[1]
        if 1 < len(self.criteria) < horizons:
            raise ConfigError(
                f"{horizons} horizons need as many criteria, not {len(self.criteria)}"
            )
        values = []
        for k in range(horizons):
            criterion = self.criteria[k if len(self.criteria) > 1 else 0]
            at = slice(k, k + 1)
            known = None if valid is None else valid[:, at]
            values.append(criterion(prediction[:, at], target[:, at], known))
        if valid is None:
            return torch.stack(values).mean()
        any_target = valid.transpose(0, 1).flatten(1).any(dim=1)
        return torch.stack(values).sum() / any_target.sum().clamp(min=1)


def ascending(levels: Sequence[float]) -> tuple[float, ...]:
    """Return quantile levels as a tuple.

    Raises:
        ConfigError: If they are not ascending and between 0 and 1.
    """
    found = tuple(float(level) for level in levels)
    if list(found) != sorted(set(found)) or not all(0 < level < 1 for level in found):
        raise ConfigError(f"quantile_levels must ascend between 0 and 1, got {found}")
    return found
