"""Base class of training and prediction procedures."""

from abc import ABC, abstractmethod
from typing import Any, Literal, final

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.frame_rules import FrameRules
from openstl_ext.interfaces import TOY_SHAPE, check_channels, declared_interface
from openstl_ext.registry import METHODS
from openstl_ext.structures import Inputs, Sample, Targets


class Method(BaseModel, ABC):
    """Base class of training and prediction procedures.

    Args:
        data_preprocessor: Config of the normalisation; by default frames stay in data units.

    Attributes:
        interface: Interface of the nets that the method works with.
        answers: What the method predicts; None for a method with a loss only.
        frame_rules: What the frames of the dataset in the config are like, for predictions.
        iteration: Number of the training step; set before each by ``ProgressHook`` and never
            incremented here, so that values that depend on it are exact after a resume.

    Raises:
        ConfigError: If the class declares no interface.
    """

    interface: type
    answers: Literal["frames", "labels"] | None
    frame_rules = FrameRules()

    def __init__(self, *, data_preprocessor: dict[str, Any] | None = None) -> None:
        declared_interface(type(self))
        preprocessor = METHODS.build(data_preprocessor or {"type": "SequencePreprocessor"})
        super().__init__(data_preprocessor=preprocessor)
        self.iteration = 0

    @abstractmethod
    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        """Compute the terms to minimise (``loss_*``) and scalars to log (no "loss" in the name)."""

    @classmethod
    @abstractmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around ``net``, for the tests."""

    @staticmethod
    @abstractmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Return a batch for the toy instance whose targets are a function of its inputs."""

    @final
    def forward(
        self, inputs: Inputs, data_samples: Targets | None = None, mode: str = "tensor"
    ) -> Any:
        """Entry point called by mmengine.

        ``loss`` returns training terms, ``predict`` samples, ``tensor`` the raw output.
        """
        if "frames" in inputs:
            check_channels(getattr(self, "net", None), inputs["frames"])
        if mode == "loss":
            return checked_terms(self.loss(inputs, data_samples or {}))
        if mode not in ("predict", "tensor"):
            raise ValueError(f"mode is {mode!r}; it must be loss, predict or tensor")
        if not isinstance(self, ForecastMethod | LabelMethod):
            raise ConfigError(no_prediction(self))
        return (
            self.predict(inputs, data_samples or {}) if mode == "predict" else self.tensor(inputs)
        )

    @final
    def init_weights(self) -> None:
        """Do nothing: nets initialise themselves, and mmengine would reset loaded weights here."""


class ForecastMethod(Method, ABC):
    """Base class of methods that predict frames. The forecast has no access to the targets.

    Attributes:
        max_horizon: Largest horizon that the method can predict; None for no limit.
        forecast_arguments: Arguments that do not act in the training. A test may change them for
            weights that are trained already, which marks its record.
        quantile_levels: Level of each entry of the field ``quantiles``, ascending.
    """

    answers = "frames"
    max_horizon: int | None = None
    forecast_arguments: tuple[str, ...] = ()
    quantile_levels: tuple[float, ...] = ()

    @abstractmethod
    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        """Predict ``forecast`` (B, horizon, C, H, W), and other fields if any, normalised.

        Another field has further axes before the time, as an ``ensemble`` (B, E, horizon, C, H, W).
        """

    @final
    def answer(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        """Predict the same fields in data units and float32.

        Raises:
            ShapeError: If a field has another shape than the horizon requires.
        """
        fields = self.forecast(inputs, horizon)
        self._check_fields(fields, inputs, horizon)
        return {name: self.data_preprocessor.denormalize(v) for name, v in fields.items()}

    @final
    def predict(self, inputs: Inputs, targets: Targets) -> list[Sample]:
        """Predict with ``answer`` and return one record per sample."""
        target = targets["frames"]  # in data units: only training normalises targets
        fields = self.answer(inputs, horizon=target.shape[1])
        fields["last"] = self.data_preprocessor.denormalize(inputs["frames"][:, -1])
        if "quantiles" in fields:
            levels = torch.tensor(self.quantile_levels, device=target.device)
            fields["quantile_levels"] = levels.expand(len(target), -1)
        return paired(fields, target.float(), targets)

    @final
    def tensor(self, inputs: Inputs) -> Tensor:
        """Return the normalised forecast, of as many frames as the inputs have."""
        length = inputs["frames"].shape[1]
        return self.forecast(inputs, horizon=min(length, self.max_horizon or length))["forecast"]

    def _check_fields(self, fields: dict[str, Tensor], inputs: Inputs, horizon: int) -> None:
        name, batch = type(self).__name__, len(inputs["frames"])
        forecast = fields.get("forecast")
        if forecast is None:
            raise ShapeError(f"{name}.forecast returned {sorted(fields)} without 'forecast'")
        if forecast.ndim != 5 or tuple(forecast.shape[:2]) != (batch, horizon):
            raise ShapeError(
                f"{name}.forecast returned 'forecast' of shape {tuple(forecast.shape)}; a batch of "
                f"{batch} and a horizon of {horizon} need ({batch}, {horizon}, C, H, W)"
            )
        for key, field in fields.items():
            if len(field) != batch or field.shape[-4:] != forecast.shape[-4:]:
                raise ShapeError(
                    f"{name}.forecast returned {key!r} of shape {tuple(field.shape)}; it must "
                    f"begin with the batch of {batch} and end as the forecast "
                    f"{tuple(forecast.shape[-4:])}"
                )

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Return smooth waves that move by one pixel per frame."""
        length, frames = TOY_SHAPE[0], moving_waves(size, 2 * TOY_SHAPE[0])
        return {
            "inputs": {"frames": frames[:, :length]},
            "data_samples": {"frames": frames[:, length:]},
        }


class LabelMethod(Method, ABC):
    """Base class of methods that predict classes of pixels or of samples."""

    answers = "labels"

    @abstractmethod
    def logits(self, inputs: Inputs) -> Tensor:
        """Compute logits (B, K, ...), which ``decide`` interprets."""

    @abstractmethod
    def decide(self, logits: Tensor) -> dict[str, Tensor]:
        """Map float32 logits to ``probability`` (B, K, ...) and ``labels`` (B, ...)."""

    def labels_of(self, probability: Tensor) -> Tensor:
        """Return the labels of probabilities, which may be blended from several tiles.

        Shape:
            - probability: (B, K, ...); returns: (B, ...), the most probable class by default.
        """
        return probability.argmax(dim=1)

    @final
    def answer(self, inputs: Inputs) -> dict[str, Tensor]:
        """Predict probability and labels."""
        return self.decide(self.logits(inputs).float())

    @final
    def predict(self, inputs: Inputs, targets: Targets) -> list[Sample]:
        """Predict with ``answer`` and return one record per sample."""
        return paired(self.answer(inputs), targets["labels"], targets, field="labels")

    @final
    def tensor(self, inputs: Inputs) -> Tensor:
        """Return the logits."""
        return self.logits(inputs)


class PretrainingMethod(Method, ABC):
    """Base class of methods with a loss only; the encoder of the net is evaluated elsewhere."""

    answers = None

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Return smooth waves without targets."""
        return {"inputs": {"frames": moving_waves(size, TOY_SHAPE[0])}, "data_samples": {}}


def no_prediction(method: nn.Module) -> str:
    """Return the message for a prediction by a method without one."""
    return (
        f"{type(method).__name__} has a loss only and predicts nothing; use the encoder of its "
        "net in a method that predicts frames or labels"
    )


def moving_waves(size: int, length: int) -> Tensor:
    """Return toy frames (size, length, C, H, W): smooth waves that move by one pixel per frame."""
    _, channels, height, width = TOY_SHAPE
    draw = torch.Generator().manual_seed(0)
    phase = torch.rand(size, 1, channels, 1, 1, generator=draw) * 2 * torch.pi
    time = torch.arange(length).view(1, -1, 1, 1, 1)
    row = torch.arange(height).view(1, 1, 1, -1, 1)
    column = torch.arange(width).view(1, 1, 1, 1, -1)
    wave = torch.sin(2 * torch.pi * (column - time) / width + phase)
    return 0.5 + 0.25 * wave * torch.cos(2 * torch.pi * row / height)


def toy_bands(size: int) -> Tensor:
    """Return the bands (size, T, C) of toy frames: each frame is an image of another band."""
    length, channels = TOY_SHAPE[:2]
    return torch.arange(length).view(1, length, 1).expand(size, length, channels)


def paired(
    fields: dict[str, Tensor], target: Tensor, targets: Targets, *, field: str = "forecast"
) -> list[Sample]:
    """Return one record per sample, with the fields of an answer and the target.

    Args:
        fields: The answer, in data units.
        target: Observed values, in data units.
        targets: May have ``valid`` and ``weight``; absent means everywhere and 1.
        field: Name of the field that is compared with the target.

    Shape:
        - the compared field, target, valid: alike, (B, T', C, H, W) for frames; in each record
          without the batch.

    Raises:
        ShapeError: If answer and target differ in shape; a broadcast would give a wrong score.
    """
    if fields[field].shape != target.shape:
        raise ShapeError(
            f"the {field} has shape {tuple(fields[field].shape)}, but its target has shape "
            f"{tuple(target.shape)}; channels, height and width of the net must be those of the "
            "data"
        )
    columns = {**fields, "target": target}
    columns["valid"] = targets.get("valid", torch.ones_like(target, dtype=torch.bool))
    size = target.shape[-2:] if target.ndim > 2 else ()
    columns["weight"] = targets.get("weight", target.new_ones((len(target), *size))).float()
    return [{k: v[i] for k, v in columns.items()} for i in range(len(target))]  # type: ignore[misc]


def checked_terms(terms: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the terms of a loss after a check of their names and shapes.

    mmengine sums every term with "loss" anywhere in its name, so ``flossing_rate`` would be
    minimised, and ``mse`` would not.

    Raises:
        ConfigError: If a name has "loss" elsewhere than at its start, or no term is minimised.
        ShapeError: If a term is no scalar.
    """
    for name, value in terms.items():
        if "loss" in name and not name.startswith("loss_"):
            raise ConfigError(
                f"{name!r} contains 'loss' but does not start with 'loss_'; a term to minimise is "
                "called loss_<name>, and a logged one has no 'loss' in its name"
            )
        if value.numel() != 1:
            raise ShapeError(f"{name} has shape {tuple(value.shape)}; a term must be a scalar")
    if not any(name.startswith("loss_") for name in terms):
        raise ConfigError(
            f"the terms {sorted(terms)} include none to minimise; name at least one loss_<name>"
        )
    # a count is an integer, and mmengine averages what it logs
    return {k: v if v.is_floating_point() else v.float() for k, v in terms.items()}
