"""Classification and nearest neighbours on the features of an encoder."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, DataError, ShapeError
from openstl_ext.interfaces import EncoderModel
from openstl_ext.methods.classification import Classification
from openstl_ext.methods.nearest_neighbours import NearestNeighbours
from openstl_ext.methods.sample_mixing import SampleMixing, cut
from openstl_ext.structures import Inputs


class Flat(nn.Module):
    """Encoder that returns the pixels of its images, with one weight."""

    interface = EncoderModel
    out_channels = 4

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, frames: Tensor, bands: Tensor | None = None) -> Tensor:
        del bands
        return self.scale * frames.flatten(1)


def inputs(*pixels: list[float]) -> Inputs:
    """Return images of 2 x 2 pixels."""
    return {"frames": torch.tensor(pixels, dtype=torch.float32).view(-1, 1, 1, 2, 2)}


def classification(**arguments: Any) -> Classification:
    usual: dict[str, Any] = {"net": Flat(), "num_classes": 3, "loss": {"type": "CrossEntropy"}}
    return Classification(**{**usual, **arguments})


def test_the_most_probable_class_is_predicted() -> None:
    """Labels and probabilities would disagree."""
    fields = classification().decide(torch.tensor([[0.0, 2.0, 1.0]]))
    assert fields["labels"].tolist() == [1]
    torch.testing.assert_close(fields["probability"].sum(), torch.tensor(1.0))


def test_a_sample_can_have_several_classes_or_none() -> None:
    """Classes would compete with each other."""
    method = classification(multi_label=True, loss={"type": "MultiLabelSoftMargin"})
    fields = method.decide(torch.tensor([[1.0, 2.0, -1.0], [-1.0, -2.0, -3.0]]))
    assert fields["labels"].tolist() == [[1, 1, 0], [0, 0, 0]]
    torch.testing.assert_close(fields["probability"][0, 0], torch.tensor(1.0).sigmoid())


def test_label_smoothing_and_soft_margin_are_the_usual_ones() -> None:
    """A recipe would minimise something else."""
    logits, labels = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0])
    smooth = classification(loss={"type": "CrossEntropy", "label_smoothing": 0.1}).criterion
    log = logits.log_softmax(1)
    own = log.gather(1, labels[:, None])[:, 0]
    torch.testing.assert_close(smooth(logits, labels), -(0.9 * own + 0.1 * log.mean(1)).mean())
    several = classification(multi_label=True, loss={"type": "MultiLabelSoftMargin"}).criterion
    target = (torch.rand(5, 3) > 0.5).long()
    expected = nn.MultiLabelSoftMarginLoss()(logits, target.float())
    torch.testing.assert_close(several(logits, target), expected)


def test_labels_without_a_value_do_not_count() -> None:
    """A missing label would be trained as the first class."""
    loss = classification().criterion
    logits = torch.randn(2, 3)
    valid = torch.tensor([True, False])
    torch.testing.assert_close(
        loss(logits, torch.tensor([2, 255]), valid), loss(logits[:1], torch.tensor([2]))
    )


def test_labels_of_another_form_are_refused() -> None:
    """Cross-entropy would take a 0 or 1 for each class as probabilities."""
    with pytest.raises(ShapeError, match="use multi_label=True"):
        classification().criterion(torch.randn(2, 3), torch.ones(2, 3).long())
    several = classification(loss={"type": "MultiLabelSoftMargin"}).criterion
    with pytest.raises(ShapeError, match="for each class is needed"):
        several(torch.randn(2, 3), torch.ones(2).long())


def test_a_mixed_sample_has_both_labels_by_their_shares() -> None:
    """The net would be trained with a label that half of the image contradicts."""
    method = classification(sample_mixing={"mixup_alpha": 1.0, "cutmix_alpha": 0.0})
    images = inputs([1, 1, 1, 1], [3, 3, 3, 3])
    torch.manual_seed(0)
    mixed, share = SampleMixing(mixup_alpha=1.0, cutmix_alpha=0.0)(images)
    assert 0 < share < 1
    expected = torch.tensor([share * 1 + (1 - share) * 3, share * 3 + (1 - share) * 1])
    torch.testing.assert_close(mixed["frames"].mean(dim=(1, 2, 3, 4)), expected)

    torch.manual_seed(0)
    labels = torch.tensor([0, 2])
    loss = method.loss(images, {"labels": labels})["loss_labels"]
    log = method.logits(mixed).log_softmax(1)
    both = share * log.gather(1, labels[:, None]) + (1 - share) * log.gather(
        1, labels.flip(0)[:, None]
    )
    torch.testing.assert_close(loss, -both.mean())


def test_a_cut_replaces_a_rectangle_and_counts_its_pixels() -> None:
    """The share of the labels would not be that of the image."""
    frames = torch.stack([torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)])
    for seed in range(20):
        torch.manual_seed(seed)
        mixed, share = cut(frames, 0.6)
        assert mixed[0].mean().item() == pytest.approx(1 - share)
        assert mixed[1].mean().item() == pytest.approx(share)


def test_samples_of_different_sensors_are_not_mixed() -> None:
    """The mean of two bands would be projected as one of them."""
    images: Inputs = {**inputs([1, 1, 1, 1], [2, 2, 2, 2]), "bands": torch.tensor([[[0]], [[1]]])}
    with pytest.raises(ShapeError, match="need the same bands"):
        SampleMixing()(images)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: classification(num_classes=1), "two or more are needed"),
        (lambda: SampleMixing(mixup_alpha=0.0, cutmix_alpha=0.0), "are 0; remove it"),
    ],
)
def test_a_setting_without_sense_is_refused(build: Any, message: str) -> None:
    """The training would have no effect."""
    with pytest.raises(ConfigError, match=message):
        build()


def test_a_training_batch_of_one_sample_cannot_be_standardised() -> None:
    """The last batch of an epoch would end the training with a traceback."""
    method = classification(standardises_features=True)
    images = inputs([1, 2, 3, 4])
    with pytest.raises(ConfigError, match=r"has no deviation; set train_dataloader.drop_last"):
        method.train().logits(images)
    assert method.eval().logits(images).shape == (1, 3)


def neighbours(**arguments: Any) -> NearestNeighbours:
    method = NearestNeighbours(net=Flat(), num_classes=2, k=2, temperature=0.5, **arguments)  # type: ignore[arg-type]
    bank = inputs([1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 1, 0])
    method.fill(method.features(bank), torch.tensor([0, 1, 1]))
    return method


def test_votes_are_weighted_by_the_cosine_similarity() -> None:
    """Scores of k-NN would not compare with published ones."""
    (probability,) = neighbours().answer(inputs([0.6, 0.8, 0, 0]))["probability"]
    votes = [math.exp(0.6 / 0.5), math.exp(0.8 / 0.5)]
    torch.testing.assert_close(probability, torch.tensor(votes) / sum(votes))


def test_the_length_of_a_feature_has_no_influence() -> None:
    """Bright images would be neighbours of all others."""
    method = neighbours()
    results = [method.answer(inputs([s * 0.6, s * 0.8, 0, 0]))["probability"] for s in (1, 9)]
    torch.testing.assert_close(*results)


def test_the_bank_of_a_probe_is_on_the_device_of_its_inputs() -> None:
    """The monitor of a pre-training on a GPU would end it after its first epochs."""
    trained = classification()
    trained.to("meta")
    probe = NearestNeighbours(
        net=trained.net,  # type: ignore[arg-type]
        num_classes=2,
        k=2,
        data_preprocessor=trained.data_preprocessor,  # type: ignore[arg-type]
    )
    probe.fill(torch.randn(3, 4), torch.tensor([0, 1, 1]))
    assert probe.bank_features.is_meta
    assert probe.bank_labels.is_meta
    assert probe.logits(
        inputs([1, 2, 3, 4]) | {"frames": torch.empty(1, 1, 1, 2, 2, device="meta")}
    ).is_meta


def test_the_bank_is_no_part_of_a_checkpoint() -> None:
    """A bank of other data would be tested."""
    assert list(neighbours().state_dict()) == ["net.scale"]


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 1, 2], DataError, "class 2 in the bank, but num_classes is 2"),
        ([[0, 1], [1, 0], [1, 1]], ConfigError, "needs one class per sample"),
        ([0], ConfigError, "k=2 neighbours of 1 samples; reduce k"),
    ],
)
def test_a_bank_that_does_not_fit_is_refused(
    labels: Any, error: type[Exception], message: str
) -> None:
    """Votes would go to classes that do not exist."""
    with pytest.raises(error, match=message):
        neighbours().fill(torch.randn(len(labels), 4), torch.tensor(labels))
