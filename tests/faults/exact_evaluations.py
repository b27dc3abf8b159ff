"""Evaluate every metric over ranks, batch sizes, gaps and leads, and compare the last bit."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial

import torch

from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.confusion import LabelMetric
from openstl_ext.metrics.multi_label import MultiLabelMetric
from openstl_ext.metrics.tallies import merge_shards
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample
from tests.faults.row import Row
from tests.metrics.label_samples import CLASSES, label_sample
from tests.metrics.samples import NEED_FILES, draw, sample
from tests.metrics.samples import built as of_frames

CASES = 500
GAPS = ("none", "pixels", "frames", "samples")
METRICS.import_from_location()


@dataclass(frozen=True)
class Case:
    """Size and form of one evaluation."""

    seed: int
    num_samples: int
    batch_size: int
    num_ranks: int
    gaps: str
    leads: int
    channels: int


def cases(number: int) -> Iterator[Case]:
    """Draw cases; the same ones in every run."""
    drawn = random.Random(0)
    for seed in range(number):
        size = drawn.randint(1, 11)
        yield Case(
            seed=seed,
            num_samples=size,
            batch_size=drawn.randint(1, size + 1),
            num_ranks=drawn.randint(1, 6),
            gaps=GAPS[seed % len(GAPS)],
            leads=drawn.choice((1, 2, 4)),
            channels=drawn.choice((1, 1, 3)),
        )


def valid_of(case: Case, index: int, shape: Sequence[int]) -> torch.Tensor:
    """Return where the target of a sample is known."""
    seed = 1000 * case.seed + index
    if case.gaps == "pixels":  # a corner, so that windows without a gap remain
        valid = torch.ones(*shape, dtype=torch.bool)
        valid[..., :2, :] = draw(*shape, seed=seed)[..., :2, :] > 0.5
        return valid
    if case.gaps == "frames":
        return (draw(shape[0], 1, 1, 1, seed=seed) > 0.5).expand(*shape).clone()
    known = case.gaps != "samples" or float(draw(1, seed=seed)) > 0.4
    return torch.full(tuple(shape), known, dtype=torch.bool)


def frame_samples(case: Case) -> list[Sample]:
    """Return forecasts with quantiles and members."""
    shape = (case.leads, case.channels, 13, 12)
    samples = []
    for index in range(case.num_samples):
        target, noise = (draw(*shape, seed=2000 * case.seed + 2 * index + k) for k in (0, 1))
        made = sample(0.8 * target + 0.2 * noise, target, valid_of(case, index, shape))
        made["weight"] = 0.5 + draw(*shape[2:], seed=case.seed)
        made["quantiles"] = torch.stack([made["forecast"] - 0.1, made["forecast"] + 0.1])
        made["quantile_levels"] = torch.tensor([0.025, 0.975])
        offsets = draw(3, *shape, seed=5000 * case.seed + index)
        made["ensemble"] = made["forecast"] + 0.2 * (offsets - 0.5)
        samples.append(made)
    return samples


def label_samples(case: Case) -> list[Sample]:
    """Return predicted label maps."""
    samples = []
    for index in range(case.num_samples):
        seeds = (3000 * case.seed + 2 * index + k for k in (0, 1))
        target, labels = ((len(CLASSES) * draw(13, 12, seed=seed)).long() for seed in seeds)
        valid = valid_of(case, index, (1, 1, 13, 12))[0, 0]
        samples.append(label_sample(labels, target, valid))
    return samples


def built() -> list[Callable[[], SampleMetric]]:
    """Return a constructor of each registered metric of frames or of one label."""
    return [
        (lambda cls=cls: cls(classes=CLASSES))
        if issubclass(cls, LabelMetric)
        else partial(of_frames, name)
        for name, cls in sorted(METRICS.module_dict.items())
        if issubclass(cls, SampleMetric)
        and not issubclass(cls, MultiLabelMetric)
        and name not in NEED_FILES
        and cls.__module__.startswith("openstl_ext.")
    ]


def evaluated(
    build: Callable[[], SampleMetric], samples: list[Sample], *, batch_size: int, num_ranks: int
) -> dict[str, str]:
    """Return the scores bit for bit, computed by ranks that each see a share of the samples."""
    ranks = [build() for _ in range(num_ranks)]
    for rank, metric in enumerate(ranks):
        own = samples[rank::num_ranks]
        for first in range(0, len(own), batch_size):
            metric.process(None, own[first : first + batch_size])
    tallies = merge_shards([metric.kept.array() for metric in ranks], len(samples))
    return {name: value.hex() for name, value in ranks[0].compute_metrics(tallies).items()}


def differing(case: Case, metrics: Sequence[Callable[[], SampleMetric]]) -> list[str]:
    """Return the names of the scores that differ from those of one process with one batch."""
    frames, labels = frame_samples(case), label_samples(case)
    found = []
    for build in metrics:
        samples = labels if isinstance(build(), LabelMetric) else frames
        single = evaluated(build, samples, batch_size=len(samples), num_ranks=1)
        shared = evaluated(build, samples, batch_size=case.batch_size, num_ranks=case.num_ranks)
        found += [
            name for name in single.keys() | shared.keys() if single.get(name) != shared.get(name)
        ]
    return found


def rows(number: int = CASES) -> Iterator[Row]:
    metrics = built()
    lost = sum(bool(differing(case, metrics)) for case in cases(number))
    note = f"{len(metrics)} metrics over {', '.join(field.name for field in fields(Case)[1:])}"
    same = number - lost
    yield Row("evaluations, exact to the last bit", number, same, same, lost, note)
