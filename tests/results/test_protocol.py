"""The protocol that comparable runs share."""

import numpy as np
import pytest

from openstl_ext.results.protocol import differences, plain, protocol_of, same_data

DATASET = {"type": "Boiling", "root": "data/a", "split": "test", "loaders": "data/a/x_loaders.json"}
METAINFO = {"name": "boiling", "channels": ("temperature",)}
SHAPES = {"inputs.frames": (10, 1, 8, 8)}


def fingerprint(dataset=None, evaluator=None, metainfo=METAINFO, size=30, shapes=SHAPES, ids=None):
    evaluator = [{"type": "SSIM"}, {"type": "SummedMSE"}] if evaluator is None else evaluator
    given = {**DATASET, **(dataset or {})}
    found = protocol_of(given, evaluator, metainfo, size=size, shapes=shapes, sample_ids=ids)
    return found["fingerprint"]


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": {"root": "/scratch/elsewhere"}},
        {"dataset": {"loaders": "C:\\data\\x_loaders.json"}},
        {"dataset": {"data_path": "x", "num_workers": 8, "packed": False}},
        {"evaluator": [{"type": "SummedMSE"}, {"type": "SSIM", "collect_device": "gpu"}]},
        {"metainfo": {"channels": ["temperature"], "name": "boiling"}},
    ],
)
def test_places_and_order_do_not_change_the_fingerprint(change):
    """The same experiment on another machine would have a table of its own."""
    assert fingerprint(**change) == fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": {"split": "val"}},
        {"dataset": {"loaders": "other_loaders.json"}},
        {"evaluator": [{"type": "SSIM", "data_range": 2}, {"type": "SummedMSE"}]},
        {"metainfo": {**METAINFO, "unit": "K"}},
        {"size": 8},
        {"shapes": {"inputs.frames": (10, 1, 16, 16)}},
        {"ids": ["a", "b"]},
    ],
)
def test_data_and_metrics_change_the_fingerprint(change):
    """Toy data or another metric would be ranked with the real ones."""
    assert fingerprint(**change) != fingerprint()


def test_sample_ids_change_the_fingerprint_and_their_order_does_not():
    """Data generated with another seed would be ranked together."""
    assert fingerprint(ids=["a", "b"]) == fingerprint(ids=["b", "a"]) != fingerprint(ids=["a", "c"])


def test_differences_are_phrases():
    """A reader could not see why there are two tables."""
    one = protocol_of(DATASET, [], METAINFO, size=30, shapes=SHAPES)
    other = protocol_of({**DATASET, "split": "val"}, [], METAINFO, size=8, shapes=SHAPES)
    assert differences(one, other) == ['dataset.split "test", not "val"', "size 30, not 8"]
    assert differences(one, one) == []


def test_selection_on_the_test_set_is_detected():
    """A score that is too good would not be marked."""
    assert same_data(DATASET, dict(DATASET))
    assert not same_data(DATASET, {**DATASET, "root": "data/b"})
    assert not same_data(None, None)


def test_values_that_are_not_finite_are_null():
    """No other program could read NaN in JSON."""
    found = plain({"a": float("nan"), "b": (np.float32(0.5), np.int64(3)), 4: float("inf")})
    assert found == {"a": None, "b": [0.5, 3], "4": None}
    with pytest.raises(TypeError, match="object"):
        plain({"a": object()})


def test_the_seed_of_a_sample_is_not_part_of_the_protocol() -> None:
    """Equal tests would be in two tables."""
    assert fingerprint(shapes={**SHAPES, "inputs.seed": ()}) == fingerprint()
