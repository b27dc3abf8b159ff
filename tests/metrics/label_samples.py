"""Synthetic label maps for the tests of metrics."""

import torch
from torch import Tensor

from openstl_ext.structures import Sample
from tests.metrics.samples import draw

CLASSES = ("background", "site", "water")


def label_sample(labels: Tensor, target: Tensor, valid: Tensor | None = None) -> Sample:
    """Return one sample, valid everywhere by default, with certain probabilities."""
    valid = torch.ones_like(target, dtype=torch.bool) if valid is None else valid
    probability = torch.nn.functional.one_hot(labels, len(CLASSES)).movedim(-1, 0).float()
    return {"labels": labels, "target": target, "valid": valid, "probability": probability}


def drawn_labels(count: int, shape: tuple[int, ...] = (12, 13)) -> list[Sample]:
    """Return label maps of moderate quality with every class; a corner of each is invalid."""
    samples = []
    for i in range(count):
        target = (len(CLASSES) * draw(*shape, seed=3 * i)).long()
        other = (len(CLASSES) * draw(*shape, seed=3 * i + 1)).long()
        answer = torch.where(draw(*shape, seed=3 * i + 2) < 0.6, target, other)
        valid = torch.ones(shape, dtype=torch.bool)
        valid[..., :2] = False
        samples.append(label_sample(answer, target, valid))
    return samples


def mapped(*rows: list[int]) -> Tensor:
    """Return a label map written out."""
    return torch.tensor(rows)
