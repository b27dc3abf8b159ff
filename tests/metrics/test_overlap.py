"""Rules for every metric of labels, and their numbers by hand and by counting."""

import math

import pytest
import torch

from openstl_ext.errors import ConfigError, DataError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.multi_label import MultiLabelMetric
from openstl_ext.metrics.tallies import merge_shards
from openstl_ext.registry import METRICS
from openstl_ext.structures import Channel, Metainfo, Sample
from tests.metrics.label_samples import CLASSES, drawn_labels, label_sample, mapped
from tests.metrics.samples import evaluated

METRICS.import_from_location()
NAMES = sorted(
    name
    for name, cls in METRICS.module_dict.items()
    if issubclass(cls, SampleMetric)
    and cls.__module__.startswith("openstl_ext.")
    and "labels" in cls.requires
    and not issubclass(cls, MultiLabelMetric)
)
OVERLAPS = ("Dice", "IoU", "Precision", "Recall")
PER_CLASS = (*OVERLAPS, "AverageAccuracy")


def built(name: str, classes: tuple[str, ...] = CLASSES) -> SampleMetric:
    return METRICS.build({"type": name, "classes": classes})


def test_every_score_name_is_registered_once() -> None:
    """Two metrics of one name would overwrite each other in a record."""
    names = [METRICS.get(name).name for name in METRICS.module_dict if name in NAMES]
    assert len(names) == len(set(names))
    assert set(names) >= {"iou", "dice", "precision", "recall", "overall_accuracy", "kappa"}


# each pixel is counted, in plain Python


def by_force(name: str, samples: list[Sample]) -> dict[str, float]:
    pairs = [
        (int(t), int(a))
        for s in samples
        for t, a, v in zip(
            s["target"].ravel(), s["labels"].ravel(), s["valid"].ravel(), strict=True
        )
        if v
    ]
    right = sum(t == a for t, a in pairs) / len(pairs)
    if name == "OverallAccuracy":
        return {"overall_accuracy": right}
    if name == "CohenKappa":
        shares = [[sum(p[i] == k for p in pairs) / len(pairs) for k in range(3)] for i in (0, 1)]
        chance = sum(a * b for a, b in zip(*shares, strict=True))
        return {"kappa": (right - chance) / (1 - chance)}
    scores = {}
    for k, label in enumerate(CLASSES):
        true = {i for i, (t, _) in enumerate(pairs) if t == k}
        predicted = {i for i, (_, a) in enumerate(pairs) if a == k}
        scores[label] = (
            {
                "IoU": lambda t=true, s=predicted: len(t & s) / len(t | s),
                "Dice": lambda t=true, s=predicted: 2 * len(t & s) / (len(t) + len(s)),
                "Precision": lambda t=true, s=predicted: len(t & s) / len(s) if s else 0.0,
                "Recall": lambda t=true, s=predicted: len(t & s) / len(t) if t else 0.0,
                "AverageAccuracy": lambda t=true, s=predicted: (
                    len(t & s) / len(t) if t else math.nan
                ),
            }[name]()
            if true | predicted
            else math.nan
        )
    known = [value for value in scores.values() if not math.isnan(value)]
    key = METRICS.get(name).name
    return {key: sum(known) / len(known), **{f"{key}[{c}]": v for c, v in scores.items()}}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_those_of_counting_each_pixel(name: str, seed: int) -> None:
    """A formula could be right for one matrix only."""
    samples = drawn_labels(seed + 5)[seed:]
    for s in samples:  # unlike matrices: seed 0 lacks a class on one side or on both
        side = [("target", "labels"), ("target",), ("labels",), (), ()][seed]
        for field in side:
            s[field][s[field] == 2] = 0
    assert evaluated(built(name), samples) == pytest.approx(by_force(name, samples), nan_ok=True)


def test_scores_by_hand() -> None:
    """Two hits, one false alarm, three misses of the site; invalid pixels do not count."""
    target = mapped([1, 1, 1, 1, 1], [0, 0, 0, 0, 255])
    answer = mapped([1, 1, 0, 0, 0], [1, 0, 0, 0, 1])
    samples = [label_sample(answer, target, target != 255)]
    samples[0]["probability"] = samples[0]["probability"][:2]
    scores = {
        k: v
        for name in NAMES
        for k, v in evaluated(built(name, ("background", "site")), samples).items()
    }
    background = {"iou": 3 / 7, "dice": 6 / 10, "precision": 3 / 6, "recall": 3 / 4}
    site = {"iou": 2 / 6, "dice": 4 / 8, "precision": 2 / 3, "recall": 2 / 5}
    expected = {f"{k}[background]": v for k, v in background.items()}
    expected |= {f"{k}[site]": v for k, v in site.items()}
    expected |= {k: (background[k] + site[k]) / 2 for k in site}
    recalls = {k: v for k, v in expected.items() if k.startswith("recall")}
    expected |= {k.replace("recall", "average_accuracy"): v for k, v in recalls.items()}
    chance = (5 * 3 + 4 * 6) / 81
    expected |= {"overall_accuracy": 5 / 9, "kappa": (5 / 9 - chance) / (1 - chance)}
    assert scores == pytest.approx(expected)


def test_an_absent_class_has_no_score_and_no_weight() -> None:
    """A 1, as upstream, would reward a test set without sites."""
    target, answer = mapped([0, 0, 1, 1]), mapped([0, 1, 1, 1])
    for name in PER_CLASS:
        scores = evaluated(built(name), [label_sample(answer, target)])
        key = METRICS.get(name).name
        assert math.isnan(scores[f"{key}[water]"])
        assert scores[key] == (scores[f"{key}[background]"] + scores[f"{key}[site]"]) / 2


@pytest.mark.parametrize("side", [0, 1])
def test_a_class_without_hits_scores_zero(side: int) -> None:
    """A model that never predicts a class would gain."""
    pair = (mapped([0, 1, 2]), mapped([0, 1, 1]))
    for name in OVERLAPS:
        scores = evaluated(built(name), [label_sample(pair[side], pair[1 - side])])
        assert scores[f"{METRICS.get(name).name}[water]"] == 0


def test_average_accuracy_is_the_mean_of_observed_classes() -> None:
    """A class without samples in the test set would lower the score."""
    target, answer = mapped([0, 0, 0, 1]), mapped([0, 0, 2, 1])
    metric = built("AverageAccuracy")
    scores = evaluated(metric, [label_sample(answer, target)])
    assert scores["average_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert math.isnan(scores["average_accuracy[water]"])
    assert metric.describe()["average_accuracy"]["num_unscored_classes"] == 1
    recall = evaluated(built("Recall"), [label_sample(answer, target)])
    assert recall["recall"] == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_kappa_of_one_class_only_has_no_value() -> None:
    """0 / 0 is neither perfect agreement nor chance."""
    metric, only = built("CohenKappa"), mapped([1, 1, 1])
    assert math.isnan(evaluated(metric, [label_sample(only, only)])["kappa"])
    assert evaluated(metric, [label_sample(only, mapped([1, 1, 0]))])["kappa"] == 0


# laws


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_prediction_has_the_best_score(name: str) -> None:
    """A table would rank models in reverse order."""
    metric, near = built(name), drawn_labels(4)
    perfect = [label_sample(s["target"], s["target"], s["valid"]) for s in near]
    best, worse = (evaluated(metric, s)[metric.name] for s in (perfect, near))
    assert best == 1 > worse > 0


@pytest.mark.parametrize("name", NAMES)
def test_scores_do_not_depend_on_order_or_batch_size(name: str) -> None:
    """Scores would depend on the loader."""
    metric, samples = built(name), drawn_labels(7)
    whole = evaluated(metric, samples, batch_size=7)
    columns = [f"{metric.name}[{c}]" for c in CLASSES] if name in PER_CLASS else []
    assert list(whole) == [metric.name, *columns]
    assert evaluated(metric, samples, batch_size=1) == whole
    assert evaluated(metric, samples[::-1], batch_size=2) == whole


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ranks", [2, 3, 8])
def test_scores_do_not_depend_on_the_number_of_ranks(name: str, ranks: int) -> None:
    """Ranks without samples would change the score."""
    samples, shards = drawn_labels(5), []
    for rank in range(ranks):
        metric = built(name)
        metric.process(None, samples[rank::ranks])
        shards.append(metric.kept.array())
    whole = evaluated(built(name), samples)
    assert metric.compute_metrics(merge_shards(shards, 5)) == whole


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["target", "labels", "probability"])
def test_invalid_pixels_have_no_effect(name: str, side: str) -> None:
    """The labels 255 or -1 of unlabelled pixels would change scores."""
    metric, (whole,) = built(name), drawn_labels(1)
    fillers = (0, 1, 255, -1) if side != "probability" else (0.5, math.nan, math.inf)
    found = [
        evaluated(metric, [{**whole, side: torch.where(whole["valid"], whole[side], filler)}])
        for filler in fillers
    ]
    assert all(math.isfinite(value) for value in found[0].values())
    assert all(other == found[0] for other in found)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_in_a_probability_reaches_the_score(name: str, bad: float) -> None:
    """The label of a NaN is the first class, which is mostly right."""
    metric, samples = built(name), drawn_labels(2)
    samples[1]["probability"][1, 5, 5] = bad
    scores = evaluated(metric, samples)
    assert all(math.isnan(value) for value in scores.values())
    assert metric.describe()[metric.name]["interval"] is None


@pytest.mark.parametrize("name", NAMES)
def test_no_valid_pixel_has_no_score(name: str) -> None:
    """An invented 0 or 1 would enter a table."""
    metric, samples = built(name), drawn_labels(3)
    alone = evaluated(metric, samples[:2])
    samples[2]["valid"][:] = False
    assert evaluated(metric, samples) == alone
    assert metric.describe()[metric.name]["num_unscored_samples"] == 1
    assert all(math.isnan(value) for value in evaluated(metric, samples[2:]).values())


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_describes_its_scores(name: str) -> None:
    """A table would have no direction, classes or interval."""
    metric = built(name)
    score = evaluated(metric, drawn_labels(5))[metric.name]
    facts = metric.describe()[metric.name]
    low, high = facts["interval"]
    assert low <= score <= high
    assert low < high
    assert (facts["num_samples"], facts["classes"]) == (5, list(CLASSES))
    assert facts["higher_is_better"]
    assert facts["convention"]
    if name in PER_CLASS:
        assert list(facts["intervals"]) == list(CLASSES)
        assert all(low < high for low, high in facts["intervals"].values())


def test_single_labels_are_scored_like_maps() -> None:
    """Scores of scenes would differ from those of a map with the same labels."""
    pairs = [(0, 0), (0, 1), (1, 1), (2, 2), (1, 0)]
    samples = [label_sample(torch.tensor(a), torch.tensor(t)) for t, a in pairs]
    target, answer = (mapped([pair[side] for pair in pairs]) for side in (0, 1))
    for name in NAMES:
        metric = built(name)
        assert evaluated(metric, samples) == evaluated(built(name), [label_sample(answer, target)])
        assert metric.describe()[metric.name]["num_samples"] == 5
    assert evaluated(built("OverallAccuracy"), samples) == {"overall_accuracy": 0.6}
    assert evaluated(built("Recall"), samples)["recall[background]"] == 0.5


def test_several_labels_per_sample_are_rejected() -> None:
    """The labels 0 and 1 of many classes would be counted as the first two classes."""
    labels = torch.tensor([0, 1, 1])
    several = {**label_sample(labels, labels), "probability": labels.float()}
    for name in NAMES:
        with pytest.raises(ConfigError, match="a label of 0 or 1 for each class; use F1Micro"):
            built(name).process(None, [several])  # type: ignore[list-item]


# bad input


@pytest.mark.parametrize("bad", [-1, 3, 255])
@pytest.mark.parametrize("side", ["target", "labels"])
def test_a_label_that_is_no_class_is_rejected(bad: int, side: str) -> None:
    """It would be counted as another pair of classes."""
    (one,) = drawn_labels(1)
    one[side][5, 5] = bad
    with pytest.raises(DataError, match=rf"class {bad} at a valid pixel.*0 to 2: background, site"):
        built("IoU").process(None, [one])


def test_a_net_with_other_classes_is_rejected() -> None:
    """Two logits scored as three classes would look like a class that is never found."""
    (one,) = drawn_labels(1)
    with pytest.raises(ConfigError, match="the net predicts 3 classes, but Dice has 2"):
        built("Dice", ("background", "site")).process(None, [one])


@pytest.mark.parametrize("classes", [(), ("site",), ("a", "a"), "ab", ("a", "b c"), ("a", "b@c")])
def test_names_that_a_score_cannot_contain_are_rejected(classes: tuple[str, ...]) -> None:
    """`iou[a]b]`, or two scores of one name, could not be read."""
    with pytest.raises(ConfigError, match="class"):
        built("IoU", classes)


def test_another_order_of_classes_than_the_dataset_is_rejected() -> None:
    """Scores of two classes would be exchanged."""
    metric = built("IoU", ("site", "background"))
    metric.dataset_meta = Metainfo(name="toy", channels=(Channel("red"),))  # names none
    with pytest.raises(ConfigError, match="scores would have wrong names"):
        metric.dataset_meta = Metainfo(
            name="toy", channels=(Channel("red"),), classes=("background", "site")
        )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_scores_are_the_same_on_a_gpu(name: str) -> None:
    """Scores of runs on CPUs and GPUs would not be comparable."""
    samples = drawn_labels(3)
    moved = [{field: value.cuda() for field, value in s.items()} for s in samples]
    assert evaluated(built(name), moved) == evaluated(built(name), samples)
