"""Scores of samples with a label of 0 or 1 for each class: by hand, by loops, and their laws."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError, DataError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.multi_label import MultiLabelMetric
from openstl_ext.metrics.ranking import AveragePrecision
from openstl_ext.metrics.tallies import merge_shards
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample
from tests.metrics.label_samples import CLASSES, drawn_labels
from tests.metrics.samples import draw, evaluated

METRICS.import_from_location()
NAMES = sorted(
    name for name, cls in METRICS.module_dict.items() if issubclass(cls, MultiLabelMetric)
)
RANKINGS = sorted(name for name in NAMES if issubclass(METRICS.get(name), AveragePrecision))
PER_CLASS = ("AveragePrecisionMacro", "F1Macro")


def built(name: str, classes: tuple[str, ...] = CLASSES) -> SampleMetric:
    return METRICS.build({"type": name, "classes": classes})


def several(probability: Any, target: Any, valid: Any = None) -> Sample:
    """Return one sample whose labels are the probabilities above one half."""
    probability, target = torch.as_tensor(probability), torch.as_tensor(target).long()
    valid = torch.ones_like(target, dtype=torch.bool) if valid is None else torch.as_tensor(valid)
    labels = (probability > 0.5).long()
    return {"target": target, "labels": labels, "probability": probability, "valid": valid}


def drawn(count: int, *, digits: int = 1) -> list[Sample]:
    """Return samples of moderate quality with many equal probabilities; some labels are unknown."""
    samples = []
    for i in range(count):
        target = draw(3, seed=3 * i) < 0.4
        value = 0.6 * draw(3, seed=3 * i + 1) + 0.4 * target
        valid = draw(3, seed=3 * i + 2) < 0.9
        samples.append(several((value * 10**digits).round() / 10**digits, target, valid))
    return samples


# by hand


def of_rows(probability: list[list[float]], target: list[list[int]], name: str) -> dict[str, float]:
    samples = [several(*pair) for pair in zip(probability, target, strict=True)]
    return evaluated(built(name), samples)


def test_average_precision_by_hand() -> None:
    """Equal probabilities, one threshold: each increase of recall has the precision after it."""
    probability = [
        [0.7, 0.2, 0.1],
        [0.4, 0.3, 0.3],
        [0.1, 0.8, 0.1],
        [0.2, 0.3, 0.5],
        [0.4, 0.4, 0.2],
        [0.1, 0.2, 0.7],
    ]
    target = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert of_rows(probability, target, "AveragePrecisionMacro") == pytest.approx(
        {
            "average_precision_macro": (5 / 6 + 3 / 4 + 3 / 4) / 3,
            "average_precision_macro[background]": 1 / 2 + 1 / 2 * 2 / 3,
            "average_precision_macro[site]": 1 / 2 + 1 / 2 * 2 / 4,
            "average_precision_macro[water]": 1 / 2 + 1 / 2 * 2 / 4,
        }
    )
    # descending: 0.8 and two of 0.7 are right, 0.5 wrong, 0.4 one of three, 0.3 one of three
    assert of_rows(probability, target, "AveragePrecisionMicro") == pytest.approx(
        {"average_precision_micro": (1 + 2 * 1 + 4 / 7 + 5 / 10 + 6 / 14) / 6}
    )


def test_a_well_known_ranking() -> None:
    """The score would not be the one that other projects report."""
    samples = [several([p, p], [t, t]) for p, t in ((0.1, 0), (0.4, 0), (0.35, 1), (0.8, 1))]
    for name in RANKINGS:  # scikit-learn's documentation gives 0.83
        scores = evaluated(built(name, ("a", "b")), samples)
        assert set(scores.values()) == {1 / 2 + 1 / 2 * 2 / 3}


def test_f1_and_exact_match_by_hand() -> None:
    """Micro and macro would be exchanged."""
    probability = [[0.9, 0.9, 0.1], [0.9, 0.1, 0.1], [0.1, 0.9, 0.1]]
    target = [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert of_rows(probability, target, "SubsetAccuracy") == {"subset_accuracy": 2 / 3}
    assert of_rows(probability, target, "F1Micro") == {"f1_micro": 2 * 3 / (4 + 4)}
    scores = of_rows(probability, target, "F1Macro")
    assert math.isnan(scores.pop("f1_macro[water]"))
    background, site = 2 * 1 / (1 + 2), 2 * 2 / (3 + 2)
    assert scores == pytest.approx(
        {
            "f1_macro": (background + site) / 2,
            "f1_macro[background]": background,
            "f1_macro[site]": site,
        }
    )


# by loops over thresholds and labels, in plain Python

Pair = tuple[float, int]


def precision_by_thresholds(pairs: list[Pair]) -> float:
    number, score, before = sum(label for _, label in pairs), 0.0, 0.0
    for threshold in sorted({value for value, _ in pairs}, reverse=True):
        chosen = [label for value, label in pairs if value >= threshold]
        recall = sum(chosen) / number if number else math.nan
        score += (recall - before) * sum(chosen) / len(chosen)
        before = recall
    return score


def f1_by_counts(pairs: list[Pair]) -> float:
    both = sum(label for value, label in pairs if value > 0.5)
    either = sum(1 for value, label in pairs if value > 0.5 or label)
    return 2 * both / (both + either) if either else math.nan


def by_loops(name: str, samples: list[Sample]) -> dict[str, float]:
    rows = [
        [
            (float(p), int(t)) if v else None
            for p, t, v in zip(s["probability"], s["target"], s["valid"], strict=True)
        ]
        for s in samples
    ]
    key = METRICS.get(name).name
    if name == "SubsetAccuracy":
        right = [all((p > 0.5) == t for p, t in filter(None, row)) for row in rows if any(row)]
        return {key: sum(right) / len(right)}
    score = f1_by_counts if name.startswith("F1") else precision_by_thresholds
    columns = [list(filter(None, column)) for column in zip(*rows, strict=True)]
    if name.endswith("Micro"):
        return {key: score([pair for column in columns for pair in column])}
    scores = [score(column) for column in columns]
    known = [value for value in scores if not math.isnan(value)]
    single = {f"{key}[{c}]": v for c, v in zip(CLASSES, scores, strict=True)}
    return {key: sum(known) / len(known), **single}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_scores_equal_those_of_plain_loops(name: str, seed: int) -> None:
    """A formula could be right for one ranking only."""
    samples = drawn(40 + seed, digits=1 + seed % 2)[seed:]
    if seed == 3:  # a class that is nowhere, and a sample without any label
        for s in samples:
            s["target"][2] = s["labels"][2] = s["probability"][2] = 0
        samples[0]["valid"][:] = False
    assert evaluated(built(name), samples) == pytest.approx(by_loops(name, samples), nan_ok=True)


# laws


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_prediction_has_the_best_score(name: str) -> None:
    """A table would rank models in reverse order."""
    metric, near = built(name), drawn(20)
    perfect = [several(s["target"].float(), s["target"], s["valid"]) for s in near]
    best, worse = (evaluated(metric, s)[metric.name] for s in (perfect, near))
    assert best == 1 > worse > 0


@pytest.mark.parametrize("name", NAMES)
def test_scores_do_not_depend_on_order_or_batch_size(name: str) -> None:
    """Scores would depend on the loader."""
    metric, samples = built(name), drawn(31)
    whole = evaluated(metric, samples, batch_size=31)
    columns = [f"{metric.name}[{c}]" for c in CLASSES] if name in PER_CLASS else []
    assert list(whole) == [metric.name, *columns]
    assert evaluated(metric, samples, batch_size=1) == whole
    assert evaluated(metric, samples[::-1], batch_size=2) == whole


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ranks", [2, 3, 8])
def test_scores_do_not_depend_on_the_number_of_ranks(name: str, ranks: int) -> None:
    """Each rank would have a ranking of its own."""
    samples, shards = drawn(7), []
    for rank in range(ranks):
        metric = built(name)
        metric.process(None, samples[rank::ranks])
        shards.append(metric.kept.array())
    whole = evaluated(built(name), samples)
    assert metric.compute_metrics(merge_shards(shards, 7)) == whole


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["target", "labels", "probability"])
def test_unknown_labels_have_no_effect(name: str, side: str) -> None:
    """The label -1 of an unknown class, or its probability, would change scores."""
    samples = drawn(12)
    assert not all(s["valid"].all() for s in samples)
    fillers = (0, 1, 255, -1) if side != "probability" else (0.5, math.nan, math.inf)
    found = [
        evaluated(
            built(name), [{**s, side: torch.where(s["valid"], s[side], filler)} for s in samples]
        )
        for filler in fillers
    ]
    assert all(math.isfinite(value) for value in found[0].values())
    assert all(other == found[0] for other in found)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_in_a_probability_reaches_the_score(name: str, bad: float) -> None:
    """NaN is below every threshold, which is mostly right."""
    metric, samples = built(name), drawn(12)
    samples[1]["probability"][1], samples[1]["valid"][1] = bad, True
    scores = evaluated(metric, samples)
    assert math.isnan(scores[metric.name])
    assert metric.describe()[metric.name]["interval"] is None
    if name in PER_CLASS:  # the other classes are known
        assert math.isnan(scores[f"{metric.name}[site]"])
        assert math.isfinite(scores[f"{metric.name}[water]"])
    for s in samples:  # also where the class is nowhere
        s["target"][1] = 0
    assert math.isnan(evaluated(metric, samples)[metric.name])


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_without_labels_has_no_score(name: str) -> None:
    """An invented 0 or 1 would enter a table."""
    metric, samples = built(name), drawn(12)
    alone = evaluated(metric, samples[:11])
    samples[11]["valid"][:] = False
    assert evaluated(metric, samples) == alone
    assert metric.describe()[metric.name]["num_unscored_samples"] == 1
    assert all(math.isnan(value) for value in evaluated(metric, samples[11:]).values())


@pytest.mark.parametrize("name", PER_CLASS)
def test_a_class_without_score_is_left_out_and_counted(name: str) -> None:
    """A rare class that a small test set lacks would count as 0 or as 1."""
    metric, samples = built(name), drawn(12)
    for s in samples:
        s["target"][2] = s["labels"][2] = 0
    scores = evaluated(metric, samples)
    assert math.isnan(scores[f"{metric.name}[water]"])
    known = [scores[f"{metric.name}[{c}]"] for c in CLASSES[:2]]
    assert scores[metric.name] == pytest.approx(sum(known) / 2)
    facts = metric.describe()[metric.name]
    assert facts["num_unscored_classes"] == 1
    assert facts["intervals"]["water"] is None


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_describes_its_scores(name: str) -> None:
    """A table would have no direction, classes or interval."""
    metric = built(name)
    score = evaluated(metric, drawn(30))[metric.name]
    facts = metric.describe()[metric.name]
    low, high = facts["interval"]
    assert low <= score <= high
    assert low < high
    assert (facts["num_samples"], facts["classes"]) == (30, list(CLASSES))
    assert facts["higher_is_better"]
    assert facts["convention"]
    if name in PER_CLASS:
        assert list(facts["intervals"]) == list(CLASSES)
        assert all(low < high for low, high in facts["intervals"].values())


@pytest.mark.parametrize("name", RANKINGS)
def test_a_resampled_ranking_is_that_of_the_drawn_samples(name: str) -> None:
    """The interval would be that of another score."""
    metric, samples = built(name), drawn(25)
    metric.process(None, samples)
    pooled = metric.pooling(metric.kept.array())
    times = np.random.default_rng(1).integers(0, 4, 25)
    again = [s for s, count in zip(samples, times, strict=True) for _ in range(count)]
    expected = evaluated(built(name), again)[metric.name]
    assert metric.overall(pooled(times.astype(float))) == pytest.approx(expected, rel=1e-12)


def test_a_class_of_one_sample_that_is_always_found_has_no_interval() -> None:
    """An interval of no width would look like certainty."""
    metric = built("AveragePrecisionMacro", ("a", "b"))
    samples = [several([0.9 if i == 0 else 0.1, 0.2 + 0.1 * i], [i == 0, i % 2]) for i in range(6)]
    evaluated(metric, samples)
    intervals = metric.describe()["average_precision_macro"]["intervals"]
    assert intervals["a"] is None
    assert intervals["b"][0] < intervals["b"][1]


# bad input


@pytest.mark.parametrize("name", NAMES)
def test_samples_of_one_class_each_are_rejected(name: str) -> None:
    """The class index 1 of a scene would be read as a label of 1."""
    scene: Tensor = torch.tensor(1)
    samples = [
        {"target": scene, "labels": scene, "probability": torch.ones(3), "valid": scene > 0},
        *drawn_labels(1),
    ]
    for one in samples:
        with pytest.raises(ConfigError, match="a label of 0 or 1 for each class, but the target"):
            built(name).process(None, [one])  # type: ignore[list-item]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["target", "labels"])
def test_a_label_other_than_0_and_1_is_rejected(name: str, side: str) -> None:
    """A count or an index would be multiplied into the score."""
    one = several([0.1, 0.2, 0.3], [0, 0, 1])
    one[side][1] = 2  # type: ignore[literal-required]
    with pytest.raises(DataError, match="2 for the class site; with several labels"):
        built(name).process(None, [one])
    with pytest.raises(ConfigError, match=f"predicts 3 classes, but {name} has 2: a, b"):
        built(name, ("a", "b")).process(None, drawn(1))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_scores_are_the_same_on_a_gpu(name: str) -> None:
    """Scores of runs on CPUs and GPUs would not be comparable."""
    samples = drawn(9)
    moved = [{field: value.cuda() for field, value in s.items()} for s in samples]
    assert evaluated(built(name), moved) == evaluated(built(name), samples)
