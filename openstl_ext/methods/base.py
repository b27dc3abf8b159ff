"""What every procedure promises."""

from abc import ABC, abstractmethod
from typing import Any, final

import torch
from mmengine.model import BaseModel
from torch import Tensor

from openstl_ext.interfaces import TOY_SHAPE
from openstl_ext.registry import METHODS
from openstl_ext.structures import Inputs, Sample, Targets


class Method(BaseModel, ABC):
    """A procedure: how to learn from a batch, and what to say about one.

    Args:
        data_preprocessor: Config of the border between data units and normalised units; without
            one, frames pass as they are.

    Attributes:
        interface: Interface of the nets that the method works with.
        iteration: Number of the training step; set before each by ``ProgressHook``, never
            incremented here, so that whatever depends on it survives a resume.
    """

    interface: type

    def __init__(self, *, data_preprocessor: dict[str, Any] | None = None) -> None:
        border = METHODS.build(data_preprocessor or {"type": "SequencePreprocessor"})
        super().__init__(data_preprocessor=border)
        self.iteration = 0

    @abstractmethod
    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        """Terms to minimise (``loss_*``) and scalars to log (names without "loss")."""

    @abstractmethod
    def predict(self, inputs: Inputs, targets: Targets) -> list[Sample]:
        """One record a sample, in data units."""

    @abstractmethod
    def tensor(self, inputs: Inputs) -> Tensor:
        """The bare answer, for tracing."""

    @classmethod
    @abstractmethod
    def toy(cls, net: Any = None) -> "Method":
        """Return a small instance around a net of the interface, for the tests."""

    @staticmethod
    @abstractmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """A batch for ``toy()``, whose truth is a function of its inputs."""

    @final
    def forward(
        self, inputs: Inputs, data_samples: Targets | None = None, mode: str = "tensor"
    ) -> Any:
        """The door of mmengine: ``loss`` trains, ``predict`` is judged, ``tensor`` is traced."""
        match mode:
            case "loss":
                return checked_terms(self.loss(inputs, data_samples or {}))
            case "predict":
                return self.predict(inputs, data_samples or {})
            case "tensor":
                return self.tensor(inputs)
        raise ValueError(f"mode is loss, predict or tensor, not {mode!r}")

    @final
    def init_weights(self) -> None:
        """Nothing: nets initialise themselves, and mmengine would reset loaded weights here."""


class ForecastMethod(Method, ABC):
    """A method whose answer is frames. Its forecast cannot see what it is asked for.

    Attributes:
        max_horizon: Largest horizon that the method can predict; None for no limit.
        quantile_levels: Level of each entry of the field ``quantiles``, ascending.
    """

    max_horizon: int | None = None
    quantile_levels: tuple[float, ...] = ()

    @abstractmethod
    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        """Fields shaped (B, horizon, C, H, W), normalised; ``forecast`` always among them."""

    @final
    def answer(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        """The same in data units and float32: all that is needed where no truth is known."""
        fields = self.forecast(inputs, horizon)
        return {name: self.data_preprocessor.denormalize(v) for name, v in fields.items()}

    @final
    def predict(self, inputs: Inputs, targets: Targets) -> list[Sample]:
        truth = targets["frames"]  # in data units: the border normalises targets only for training
        fields = self.answer(inputs, horizon=truth.shape[1])
        fields["last"] = self.data_preprocessor.denormalize(inputs["frames"][:, -1])
        if "quantiles" in fields:
            levels = torch.tensor(self.quantile_levels, device=truth.device)
            fields["quantile_levels"] = levels.expand(len(truth), -1)
        return paired(fields, truth.float(), targets)

    @final
    def tensor(self, inputs: Inputs) -> Tensor:
        length = inputs["frames"].shape[1]
        return self.forecast(inputs, horizon=min(length, self.max_horizon or length))["forecast"]

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Smooth waves that move by one pixel a frame."""
        length, channels, height, width = TOY_SHAPE
        draw = torch.Generator().manual_seed(0)
        phase = torch.rand(size, 1, channels, 1, 1, generator=draw) * 2 * torch.pi
        time = torch.arange(2 * length).view(1, -1, 1, 1, 1)
        row = torch.arange(height).view(1, 1, 1, -1, 1)
        column = torch.arange(width).view(1, 1, 1, 1, -1)
        wave = torch.sin(2 * torch.pi * (column - time) / width + phase)
        frames = 0.5 + 0.25 * wave * torch.cos(2 * torch.pi * row / height)
        return {
            "inputs": {"frames": frames[:, :length]},
            "data_samples": {"frames": frames[:, length:]},
        }


class LabelMethod(Method, ABC):
    """A method whose answer is classes, of pixels or of samples; it cannot see the truth either."""

    @abstractmethod
    def logits(self, inputs: Inputs) -> Tensor:
        """Shaped (B, K, ...); what K logits mean, ``decide`` knows."""

    @abstractmethod
    def decide(self, logits: Tensor) -> dict[str, Tensor]:
        """Float32 logits to ``probability`` (B, K, ...) of each class and ``labels`` (B, ...)."""

    @final
    def answer(self, inputs: Inputs) -> dict[str, Tensor]:
        """Probability and labels: all that is needed where no truth is known."""
        return self.decide(self.logits(inputs).float())

    @final
    def predict(self, inputs: Inputs, targets: Targets) -> list[Sample]:
        return paired(self.answer(inputs), targets["labels"], targets, judged="labels")

    @final
    def tensor(self, inputs: Inputs) -> Tensor:
        return self.logits(inputs)


def paired(
    fields: dict[str, Tensor], truth: Tensor, targets: Targets, *, judged: str = "forecast"
) -> list[Sample]:
    """One record a sample: the fields of an answer beside the truth.

    Args:
        fields: What the method says, in data units.
        truth: What came true, in data units.
        targets: Maybe with ``valid`` and ``weight``; absent means everywhere and 1.
        judged: The field that the truth is for.

    Shape:
        - the field that is judged, truth, valid: alike, (B, T', C, H, W) for frames; in each
          record without the batch.

    Raises:
        ValueError: If answer and truth differ in shape; a broadcast would score nonsense.
    """
    if fields[judged].shape != truth.shape:
        raise ValueError(
            f"the {judged} has shape {tuple(fields[judged].shape)}, its truth {tuple(truth.shape)}"
        )
    columns = {**fields, "target": truth}
    columns["valid"] = targets.get("valid", torch.ones_like(truth, dtype=torch.bool))
    size = truth.shape[-2:] if truth.ndim > 2 else ()
    columns["weight"] = targets.get("weight", truth.new_ones((len(truth), *size))).float()
    return [{k: v[i] for k, v in columns.items()} for i in range(len(truth))]  # type: ignore[misc]


def checked_terms(terms: dict[str, Tensor]) -> dict[str, Tensor]:
    """Terms whose names say whether they are minimised.

    mmengine sums every term with "loss" anywhere in its name, so ``flossing_rate`` would be
    minimised, and ``mse`` would not.

    Raises:
        ValueError: If a name has "loss" elsewhere than at its start, or nothing is to be minimised.
    """
    for name in terms:
        if "loss" in name and not name.startswith("loss_"):
            raise ValueError(f"a loss term is called loss_<what>, so {name!r} must be renamed")
    if not any(name.startswith("loss_") for name in terms):
        raise ValueError(f"no term starts with loss_, so nothing is learnt; got {sorted(terms)}")
    # a count is an integer, and mmengine averages what it logs
    return {k: v if v.is_floating_point() else v.float() for k, v in terms.items()}
