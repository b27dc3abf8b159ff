"""Forecasting one variable over horizons, from covariates and with gaps, maybe with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError, nearest
from openstl_ext.interfaces import CovariateModel, Quantiles
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.registry import LOSSES, METHODS, MODELS
from openstl_ext.structures import Inputs, Targets

STRATEGIES = ("direct", "autoregressive")
COMPARED = ("forecast", "change", "data_change", "lower", "upper")
"""What a term may be of: frames, their change since the last known one, an end of the interval."""


@METHODS.register_module()
class MultiHorizonRegression(ForecastMethod):
    """Train on named criteria where the truth is known; say all horizons at once or one by one.

    *direct* asks the net for all its horizons; a shorter horizon is cut. *autoregressive* trains
    on the next frame alone, and forecasts by appending what was said and dropping the oldest
    frame; any number of horizons can be asked for, and an interval is then that of one step, given
    the frames before it.

    Args:
        net: Config of a CovariateModel.
        strategy: ``direct`` or ``autoregressive``.
        terms: By name, each ``dict(loss=..., weight=1.0, of="forecast", start_iteration=0)``.
            ``loss`` is the config of a criterion, or a list with one a horizon. ``of`` says what
            is compared with the truth: ``forecast``, ``lower``, ``upper``; ``change`` since the
            last known frame; ``data_change``, the same in data units. Before ``start_iteration``
            a term weighs nothing. ``loss_<name>`` is minimised; ``<name>``, without its weight, is
            logged.
        hold_dynamic: Let dynamic covariates of an autoregressive net stay as they were last; by
            default they are refused there, as their future is not known.
        data_preprocessor: Config of the border between data units and normalised units.

    Shape:
        - frames: (B, T, 1, H, W), target frames: (B, K, 1, H, W).

    Raises:
        ConfigError: If strategy, a term or what it is of does not exist, or dynamic covariates
            would have to be made up.
        ShapeError: If more horizons are asked for than a direct net has.

    Source:
        GMoncrieff/spatio-temporal@4eb523d (autoregressive) and @d765a15 (direct).

    Deviations:
        A horizon without truth takes no part in the mean over horizons; upstream adds a 0 for it.
        Upstream trains quantiles by a backward pass of their own; a net whose quantile heads see a
        detached state gets the same gradients from one.
    """

    interface = CovariateModel
    margin: Tensor | None

    def __init__(
        self,
        *,
        net: dict[str, Any],
        strategy: Literal["direct", "autoregressive"],
        terms: Mapping[str, Mapping[str, Any]],
        hold_dynamic: bool = False,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        if strategy not in STRATEGIES:
            raise ConfigError(f"strategy {strategy!r} is unknown; {nearest(strategy, STRATEGIES)}")
        if not terms:
            raise ConfigError("terms are empty: name at least one, as in mse=dict(loss=...)")
        self.net = MODELS.build(net)
        self.strategy, self.hold_dynamic = strategy, hold_dynamic
        self.terms = nn.ModuleDict({name: _Term.of_config(name, t) for name, t in terms.items()})
        if strategy == "direct":
            self.max_horizon = getattr(self.net, "num_horizons", None)
        # no part of a checkpoint: it is learnt after training, from other data
        self.register_buffer("margin", None, persistent=False)

    def calibrate(self, margin: Sequence[float]) -> None:
        """Widen intervals from now on, in fields of their own: ``lower_calibrated``, ``upper_...``.

        Args:
            margin: Put around the interval of each horizon, in data units; NaN where none is known.
        """
        self.margin = torch.tensor(margin, dtype=torch.float32).to(self.data_preprocessor.std)

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        length = 1 if self.strategy == "autoregressive" else targets["frames"].shape[1]
        truth, valid = targets["frames"][:, :length], targets.get("valid")
        valid = None if valid is None else valid[:, :length]
        fields = self._said(inputs, length)
        found: dict[str, Tensor] = {}
        terms: dict[str, Any] = dict(self.terms.items())
        for name, term in terms.items():
            value = term(*self._compared(term.of, fields, truth, valid, inputs))
            # weighed by 0, not left out: every parameter takes part from the first iteration on
            weight = term.weight if self.iteration >= term.start_iteration else 0.0
            found |= {f"loss_{name}": weight * value, name: value.detach()}
        return found

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        fields = self._said(inputs, horizon)
        if self.margin is not None and "lower" in fields:
            unknown = self.margin.new_full((max(0, horizon - len(self.margin)),), torch.nan)
            margin = torch.cat([self.margin[:horizon], unknown]).view(-1, 1, 1, 1)
            margin = margin / self.data_preprocessor.std
            fields["lower_calibrated"] = fields["lower"] - margin
            fields["upper_calibrated"] = fields["upper"] + margin
        return fields

    def _said(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        """What the net says of each horizon: ``forecast``, maybe ``lower`` and ``upper``."""
        if self.strategy == "autoregressive":
            return self._rolled(inputs, horizon)
        fields = _answered(self.net, inputs, inputs["frames"], inputs.get("dynamic"))
        said = fields["forecast"].shape[1]
        if horizon > said:
            raise ShapeError(
                f"{type(self.net).__name__} says {said} horizons at once, and {horizon} were asked "
                "for; ask for fewer, train a net with more, or forecast step by step with "
                'strategy="autoregressive"'
            )
        return {name: field[:, :horizon] for name, field in fields.items()}

    def _rolled(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        frames, dynamic = inputs["frames"], inputs.get("dynamic")
        if dynamic is not None and not self.hold_dynamic:
            raise ConfigError(
                "an autoregressive forecast needs dynamic covariates of years to come; leave them "
                'out of the dataset, set hold_dynamic=True, or use strategy="direct"'
            )
        steps = []
        for _ in range(horizon):
            said = _answered(self.net, inputs, frames, dynamic)
            steps.append({name: field[:, :1] for name, field in said.items()})
            frames = torch.cat([frames[:, 1:], steps[-1]["forecast"]], dim=1)
            if dynamic is not None:
                dynamic = torch.cat([dynamic[:, 1:], dynamic[:, -1:]], dim=1)
        return {name: torch.cat([step[name] for step in steps], dim=1) for name in steps[0]}

    def _compared(
        self,
        of: str,
        fields: dict[str, Tensor],
        truth: Tensor,
        valid: Tensor | None,
        inputs: Inputs,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Prediction, target and where they may be compared."""
        if of in ("lower", "upper"):
            if of not in fields:
                raise ConfigError(f"{type(self.net).__name__} says no {of} end of an interval")
            return fields[of], truth, valid
        said, last = fields["forecast"], inputs["frames"][:, -1:]
        if of == "forecast":
            return said, truth, valid
        if "valid" in inputs:  # change since a frame that is not known is not known either
            known = inputs["valid"][:, -1:].expand_as(truth)
            valid = known if valid is None else valid & known
        if of == "data_change":
            said, truth, last = map(self.data_preprocessor.denormalize, (said, truth, last))
        return said - last, truth - last, valid

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net."""
        batch: Any = cls.toy_batch(1)["inputs"]
        with torch.no_grad():
            said = _answered(net, batch, batch["frames"], batch["dynamic"])
        terms: dict[str, Any] = {"mse": {"loss": {"type": "L2"}}}
        if "lower" in said:
            for of, quantile in (("lower", 0.025), ("upper", 0.975)):
                terms[of] = {"loss": {"type": "Pinball", "quantile": quantile}, "of": of}
        direct = said["forecast"].shape[1] > 1
        strategy = "direct" if direct else "autoregressive"
        return {"net": net, "strategy": strategy, "terms": terms, "hold_dynamic": True}

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Waves with gaps, a horizon without truth, and covariates that know nothing."""
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
        self, *, loss: Any, weight: float = 1.0, of: str = "forecast", start_iteration: int = 0
    ) -> None:
        super().__init__()
        if of not in COMPARED:
            raise ConfigError(f"a term is of one of {', '.join(COMPARED)}; {nearest(of, COMPARED)}")
        several = isinstance(loss, Sequence)
        self.criteria = nn.ModuleList(LOSSES.build(each) for each in (loss if several else [loss]))
        self.weight, self.of, self.start_iteration = weight, of, start_iteration

    @classmethod
    def of_config(cls, name: str, config: Mapping[str, Any]) -> "_Term":
        """The term of a config, or an error that says which is wrong."""
        known = ("loss", "weight", "of", "start_iteration")
        if "loss" not in config:
            raise ConfigError(f"the term {name!r} needs a loss")
        for key in set(config) - set(known):
            raise ConfigError(f"the term {name!r} takes no {key!r}; {nearest(key, known)}")
        return cls(**config)

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None) -> Tensor:
        """Mean of the criterion over horizons that have any truth; 0 if none has."""
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
        any_truth = valid.transpose(0, 1).flatten(1).any(dim=1)
        return torch.stack(values).sum() / any_truth.sum().clamp(min=1)


def _answered(
    net: nn.Module, inputs: Inputs, frames: Tensor, dynamic: Tensor | None
) -> dict[str, Tensor]:
    """What a net says, as frames (B, K, 1, H, W): ``forecast``, maybe ``lower`` and ``upper``."""
    places = {"static": inputs.get("static"), "lonlat": inputs.get("lonlat")}
    said: Quantiles = net(frames, dynamic=dynamic, **places)
    fields = {"forecast": said.central, "lower": said.lower, "upper": said.upper}
    return {name: field.unsqueeze(2) for name, field in fields.items() if field is not None}
