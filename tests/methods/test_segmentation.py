"""Probabilities and labels from logits."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import TOY_SHAPE
from openstl_ext.methods.segmentation import Segmentation
from tests.toys import toy_method


class PixelNet(nn.Module):
    """Linear classifier of each pixel, from all its values."""

    def __init__(self, num_logits: int = 1) -> None:
        super().__init__()
        self.head = nn.Conv2d(TOY_SHAPE[0] * TOY_SHAPE[1], num_logits, 1)

    def forward(self, frames: Tensor) -> Tensor:
        return self.head(frames.flatten(1, 2))


def method(num_logits: int = 1, **arguments: Any) -> Segmentation:
    torch.manual_seed(0)
    loss = {"type": "BCEDice" if num_logits == 1 else "CrossEntropyDice"}
    return Segmentation(net=PixelNet(num_logits), loss=loss, **arguments)


def test_one_logit_means_two_classes() -> None:
    """The bands of a probability map would depend on the net."""
    decided = method(threshold=0.7).decide(torch.tensor([[[[-20.0, 0.8, 0.9]]]]))
    second = torch.sigmoid(torch.tensor([-20.0, 0.8, 0.9]))
    torch.testing.assert_close(decided["probability"][0, :, 0], torch.stack([1 - second, second]))
    assert decided["labels"].tolist() == [[[0, 0, 1]]]  # sigmoid(0.8) is 0.69
    assert decided["labels"].dtype == torch.int64


def test_several_logits_mean_as_many_classes() -> None:
    """Another class than the most probable one would be mapped."""
    logits = torch.tensor([[1.0, 0.0], [0.0, 0.5], [2.0, -1.0]]).view(1, 3, 1, 2)
    decided = method(3).decide(logits)
    torch.testing.assert_close(decided["probability"], logits.softmax(dim=1))
    assert decided["labels"].tolist() == [[[2, 1]]]


@pytest.mark.parametrize("num_logits", [1, 2, 3])
def test_blended_probabilities_have_the_labels_of_a_batch(num_logits: int) -> None:
    """The map of a large raster would have other labels than its patches."""
    toy = method(num_logits)
    answer = toy.answer(toy.toy_batch(2)["inputs"])
    assert torch.equal(toy.labels_of(answer["probability"]), answer["labels"])
    assert torch.equal(answer["labels"], answer["probability"].argmax(dim=1))


def test_a_threshold_is_for_two_classes_only() -> None:
    """With three classes the threshold of a config would have no effect."""
    blended = torch.tensor([0.7, 0.3]).view(1, 2, 1, 1)
    assert method(threshold=0.3).labels_of(blended).item() == 1
    assert method(2, threshold=0.31).labels_of(blended).item() == 0
    inputs = Segmentation.toy_batch(1)
    with pytest.raises(ConfigError, match=r"threshold=0.3 is for two classes, but the net has 3"):
        method(3, threshold=0.3)(**inputs, mode="loss")


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.5, 50])
def test_a_threshold_outside_of_0_and_1_is_an_error(threshold: float) -> None:
    """A threshold of 0, 1 or 50 per cent would give a map of one class."""
    with pytest.raises(ConfigError, match="between 0 and 1"):
        method(threshold=threshold)


@pytest.mark.parametrize("num_logits", [1, 2, 3])
def test_the_loss_trains_the_predicted_class(num_logits: int) -> None:
    """The loss and the decision could interpret the logits differently."""
    toy = toy_method(Segmentation, method(num_logits).net).train()
    batch = toy.data_preprocessor(toy.toy_batch(4), training=True)
    optimizer = torch.optim.Adam(toy.parameters(), lr=1.0)
    losses = []
    for _ in range(60):
        loss = toy(**batch, mode="loss")["loss_labels"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    found = toy.eval()(**batch, mode="predict")
    right = [(s["labels"] == s["target"])[s["valid"]].float().mean().item() for s in found]
    assert min(right) > 0.95


def test_toy_labels_have_both_classes_and_gaps() -> None:
    """The contract tests would pass without a second class or without gaps."""
    targets = Segmentation.toy_batch(3)["data_samples"]
    known = targets["labels"][targets["valid"]].float()
    assert 0.2 < known.mean() < 0.8
    assert set(targets["labels"][~targets["valid"]].tolist()) == {255}


def test_a_sample_has_the_fields_of_an_answer_and_of_a_target() -> None:
    """A metric would not find the field that it requires."""
    toy = method().eval()
    samples = toy(**toy.toy_batch(2), mode="predict")
    assert {"labels", "probability", "target", "valid"} == set(samples[0])
