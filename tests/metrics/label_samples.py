"""Made-up label maps for the tests of metrics."""

import torch
from torch import Tensor

from openstl_ext.structures import Sample
from tests.metrics.samples import draw

CLASSES = ("background", "site", "water")


def label_sample(labels: Tensor, target: Tensor, valid: Tensor | None = None) -> Sample:
    """One sample, valid everywhere unless told otherwise, sure of what it says."""
    valid = torch.ones_like(target, dtype=torch.bool) if valid is None else valid
    probability = torch.nn.functional.one_hot(labels, len(CLASSES)).movedim(-1, 0).float()
    return {"labels": labels, "target": target, "valid": valid, "probability": probability}


def drawn_labels(count: int, shape: tuple[int, ...] = (12, 13)) -> list[Sample]:
    """Answers of middling quality, with every class in them; a corner of each is not valid."""
    samples = []
    for i in range(count):
        truth = (len(CLASSES) * draw(*shape, seed=3 * i)).long()
        other = (len(CLASSES) * draw(*shape, seed=3 * i + 1)).long()
        answer = torch.where(draw(*shape, seed=3 * i + 2) < 0.6, truth, other)
        valid = torch.ones(shape, dtype=torch.bool)
        valid[..., :2] = False
        samples.append(label_sample(answer, truth, valid))
    return samples


def mapped(*rows: list[int]) -> Tensor:
    """A label map written out."""
    return torch.tensor(rows)
