"""Base classes of methods: terms of a loss, records of a prediction, units."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import FrameModel, RecurrentModel, check_net
from openstl_ext.methods.base import (
    ForecastMethod,
    LabelMethod,
    PretrainingMethod,
    checked_terms,
    paired,
)
from openstl_ext.methods.preprocessor import SequencePreprocessor

FRAMES = torch.rand(2, 3, 1, 4, 4)


class Given(ForecastMethod):
    """Predict the given fields."""

    interface = FrameModel

    def __init__(self, data_preprocessor: dict[str, Any] | None = None, **fields: Tensor) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.fields = fields

    def loss(self, inputs: Any, targets: Any) -> dict[str, Tensor]:
        return {"loss_zero": torch.zeros(())}

    def forecast(self, inputs: Any, horizon: int) -> dict[str, Tensor]:
        return self.fields

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:  # noqa: ARG003
        return {}


class Scores(LabelMethod):
    """Predict labels from the logits of the inputs."""

    interface = FrameModel

    def loss(self, inputs: Any, targets: Any) -> dict[str, Tensor]:
        return {"loss_zero": torch.zeros(())}

    def logits(self, inputs: Any) -> Tensor:
        return inputs["frames"][:, 0]

    def decide(self, logits: Tensor) -> dict[str, Tensor]:
        probability = logits.softmax(dim=1)
        return {"probability": probability, "labels": self.labels_of(probability)}

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:  # noqa: ARG003
        return {}

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        return {"inputs": {"frames": torch.rand(size, 1, 3, 4, 4)}, "data_samples": {}}


class Pretraining(PretrainingMethod):
    """Minimise the mean of the frames."""

    interface = FrameModel

    def loss(self, inputs: Any, targets: Any) -> dict[str, Tensor]:
        return {"loss_mean": inputs["frames"].mean()}

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:  # noqa: ARG003
        return {}


def test_a_misnamed_loss_is_an_error() -> None:
    """A statistic would be minimised: mmengine sums every term with "loss" in its name."""
    with pytest.raises(ConfigError, match="'flossing' contains 'loss'"):
        checked_terms({"loss_frames": torch.ones(()), "flossing": torch.ones(())})
    with pytest.raises(ConfigError, match=r"\['mse'\] include none to minimise"):
        checked_terms({"mse": torch.ones(())})
    with pytest.raises(ShapeError, match=r"loss_frames has shape \(2, 3\)"):
        checked_terms({"loss_frames": torch.ones(2, 3)})


def test_a_forecast_of_another_shape_than_the_target_is_an_error() -> None:
    """A broadcast would give a wrong score without a message."""
    with pytest.raises(ShapeError, match=r"\(1, 1, 1, 2, 2\).*target has shape \(1, 2, 1, 2, 2\)"):
        paired({"forecast": torch.ones(1, 1, 1, 2, 2)}, torch.ones(1, 2, 1, 2, 2), None)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mean": FRAMES}, "without 'forecast'"),
        ({"forecast": FRAMES[:, :2]}, r"a horizon of 3 need \(2, 3, C, H, W\)"),
        ({"forecast": FRAMES[:, :, 0]}, r"shape \(2, 3, 4, 4\)"),
        ({"forecast": FRAMES, "ensemble": FRAMES[None]}, "begin with the batch of 2"),
        ({"forecast": FRAMES, "ensemble": FRAMES[:, None, :2]}, "end as the forecast"),
    ],
)
def test_an_answer_of_another_shape_is_an_error(fields: dict[str, Tensor], message: str) -> None:
    """A file of predictions would have another number of frames than requested."""
    with pytest.raises(ShapeError, match=message):
        Given(**fields).answer({"frames": FRAMES}, horizon=3)


def test_every_member_of_an_ensemble_is_in_data_units() -> None:
    """The ensemble of two channels would be in another unit than its mean."""
    frames = torch.rand(2, 3, 2, 4, 4)
    ensemble = torch.rand(2, 5, 3, 2, 4, 4)
    settings = {"type": "SequencePreprocessor", "mean": [1.0, 10.0], "std": [2.0, 5.0]}
    method = Given(settings, forecast=frames, ensemble=ensemble)
    (sample, _) = method.predict({"frames": frames}, {"frames": frames})
    torch.testing.assert_close(sample["ensemble"][:, :, 0], ensemble[0, :, :, 0] * 2 + 1)
    torch.testing.assert_close(sample["ensemble"][:, :, 1], ensemble[0, :, :, 1] * 5 + 10)


def test_the_labels_of_probabilities_are_the_most_probable_ones() -> None:
    """A map that is blended from tiles would have no labels."""
    method = Scores()
    batch = method.toy_batch(2)
    answer = method.answer(batch["inputs"])
    assert torch.equal(answer["labels"], answer["probability"].argmax(dim=1))


@pytest.mark.parametrize("mode", ["predict", "tensor"])
def test_a_pretraining_method_predicts_nothing(mode: str) -> None:
    """A test of it would end in an AttributeError."""
    method = Pretraining()
    assert (method.answers, Given().answers, Scores().answers) == (None, "frames", "labels")
    assert not hasattr(method, "predict")
    assert method(**method.toy_batch(2), mode="loss")["loss_mean"] > 0
    with pytest.raises(ConfigError, match="Pretraining has a loss only and predicts nothing"):
        method(**method.toy_batch(2), mode=mode)


def test_a_net_of_another_interface_is_an_error() -> None:
    """The mistake would show as a TypeError in the first training step."""
    method = Given()
    method.net = nn.Identity()
    with pytest.raises(ConfigError, match="Identity declares no interface; add"):
        check_net(method)

    class Former(nn.Module):
        port = FrameModel

    method.net = Former()
    with pytest.raises(ConfigError, match="its attribute port is now called interface"):
        check_net(method)

    class Step(nn.Module):
        interface = RecurrentModel

    method.net = Step()
    with pytest.raises(ConfigError, match="needs a net with interface FrameModel, but Step decl"):
        check_net(method)


def test_a_method_without_interface_is_an_error() -> None:
    """No test would find the nets that it works with."""

    class Unclear(Given):
        interface = None  # type: ignore[assignment]

    with pytest.raises(ConfigError, match="Unclear declares no interface"):
        Unclear()


def test_normalisation_is_undone() -> None:
    """Forecasts would be in another unit than the data."""
    preprocessor = SequencePreprocessor(mean=[1.0, 10.0], std=[2.0, 5.0])
    frames = torch.rand(2, 3, 2, 4, 5)
    normalised = preprocessor.normalize(frames)
    torch.testing.assert_close(normalised[0, 0, 1], (frames[0, 0, 1] - 10) / 5)
    torch.testing.assert_close(preprocessor.denormalize(normalised), frames)


def test_pixels_without_data_become_the_mean() -> None:
    """One NaN pixel becomes a frame of NaN after the first normalisation layer."""
    frames = torch.rand(1, 2, 1, 4, 4)
    frames[0, 0, 0, 1, 1] = torch.nan
    batch = {"inputs": {"frames": frames, "valid": frames.isfinite()}, "data_samples": {}}
    out = SequencePreprocessor(mean=0.5)(batch)
    assert out["inputs"]["frames"].isfinite().all()
    assert out["inputs"]["frames"][0, 0, 0, 1, 1] == 0
    assert batch["inputs"]["frames"].isnan().any(), "the batch of the caller was changed"


def test_only_training_normalises_targets() -> None:
    """Scores would be in normalised units."""
    preprocessor = SequencePreprocessor(mean=1.0, std=2.0)
    frames = torch.rand(1, 2, 1, 4, 4)
    batch = {"inputs": {"frames": frames}, "data_samples": {"frames": frames}}
    torch.testing.assert_close(preprocessor(batch)["data_samples"]["frames"], frames)
    trained = preprocessor(batch, training=True)["data_samples"]["frames"]
    torch.testing.assert_close(trained, (frames - 1) / 2)


def test_statistics_of_another_number_of_channels_are_an_error() -> None:
    """Three means would be broadcast over one channel and make three of it."""
    with pytest.raises(ShapeError, match="3 channels"):
        SequencePreprocessor(mean=[0.0, 0.0, 0.0]).normalize(torch.rand(1, 1, 1, 4, 4))
    with pytest.raises(ValueError, match="positive"):
        SequencePreprocessor(std=0.0)
