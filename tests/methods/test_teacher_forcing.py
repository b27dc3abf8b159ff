"""Who is shown the truth, and how often."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from openstl_ext.registry import TEACHER_FORCING

RECORD = json.loads(
    (Path(__file__).parents[1] / "parity" / "golden" / "scheduled_sampling.json").read_text()
)
ARGS = RECORD["args"]
SEEN, HORIZON = ARGS["pre_seq_length"], ARGS["aft_seq_length"]
FEED_CONFIGS = [
    {"type": "FreeRunning"},
    {"type": "ScheduledSampling"},
    {"type": "ReverseScheduledSampling"},
]


def shown(feed: Any, *, batch: int = 3, iteration: int = 0) -> torch.Tensor:
    return feed(seen=SEEN, horizon=HORIZON, batch=batch, iteration=iteration)


@pytest.mark.parametrize("cfg", FEED_CONFIGS, ids=lambda cfg: cfg["type"])
@pytest.mark.parametrize("iteration", [0, 30_000, 10**9])
def test_every_feed_begins_with_the_truth_and_has_one_column_a_step(
    cfg: dict, iteration: int
) -> None:
    """A net that is fed its own frame before it has said one does not run."""
    flags = shown(TEACHER_FORCING.build(cfg), batch=5, iteration=iteration)
    assert flags.shape == (5, SEEN + HORIZON - 1)
    assert flags.dtype == torch.bool
    assert flags[:, 0].all()


@pytest.mark.parametrize("cfg", FEED_CONFIGS, ids=lambda cfg: cfg["type"])
def test_a_seed_and_an_iteration_say_everything(cfg: dict) -> None:
    """A coin with a memory of its own would fall otherwise after a resume."""
    feed = TEACHER_FORCING.build(cfg)
    torch.manual_seed(3)
    first = shown(feed, batch=16, iteration=20_000)
    shown(feed, iteration=123)  # what happened in between must not matter
    torch.manual_seed(3)
    assert torch.equal(first, shown(TEACHER_FORCING.build(cfg), batch=16, iteration=20_000))


@pytest.mark.parametrize("cfg", FEED_CONFIGS, ids=lambda cfg: cfg["type"])
def test_late_in_training_nothing_of_the_future_is_shown(cfg: dict) -> None:
    """Training that ends on truth a forecast never sees ends on the wrong task."""
    flags = shown(TEACHER_FORCING.build(cfg), batch=32, iteration=50_000)
    assert flags[:, :SEEN].all()
    assert not flags[:, SEEN:].any()


def test_a_free_runner_is_shown_the_past_and_nothing_else() -> None:
    """VMRNN trains as it forecasts."""
    flags = shown(TEACHER_FORCING.build({"type": "FreeRunning"}), batch=2)
    assert flags.tolist() == [[True] * SEEN + [False] * (HORIZON - 1)] * 2


@pytest.mark.parametrize("entry", RECORD["schedule_sampling"], ids=lambda e: f"{e['itr']}")
def test_scheduled_sampling_falls_as_published(entry: dict) -> None:
    """A schedule that is off by one iteration is off in every published recipe."""
    rate = ARGS["sampling_changing_rate"]
    # the record starts from any probability at any iteration; ours are one closed form
    feed = TEACHER_FORCING.build(
        {
            "type": "ScheduledSampling",
            "start": entry["eta_in"] + rate * entry["itr"],
            "rate": rate,
            "stop": ARGS["sampling_stop_iter"],
        }
    )
    probability = feed.probability(entry["itr"])
    assert probability == pytest.approx(entry["eta_out"], abs=1e-12)
    draws = np.random.RandomState(entry["seed"]).random_sample((entry["batch_size"], HORIZON - 1))
    assert (draws < probability).tolist() == np.array(entry["flags"], dtype=bool).tolist()


@pytest.mark.parametrize(
    "entry", RECORD["reserve_schedule_sampling_exp"], ids=lambda e: f"{e['itr']}"
)
def test_reverse_scheduled_sampling_turns_as_published(entry: dict) -> None:
    """PredRNNv2's schedule: the past grows surer while the future fades."""
    feed = TEACHER_FORCING.build(
        {
            "type": "ReverseScheduledSampling",
            "first": ARGS["r_sampling_step_1"],
            "second": ARGS["r_sampling_step_2"],
            "scale": ARGS["r_exp_alpha"],
        }
    )
    past, future = feed.probabilities(entry["itr"])
    draw = np.random.RandomState(entry["seed"]).random_sample
    flags = np.concatenate(
        [
            draw((entry["batch_size"], SEEN - 1)) < past,
            draw((entry["batch_size"], HORIZON - 1)) < future,
        ],
        axis=1,
    )
    assert flags.tolist() == np.array(entry["flags"], dtype=bool).tolist()


def test_coins_fall_as_often_as_the_schedule_says() -> None:
    """The closed form is right in vain if the coins follow another one."""
    torch.manual_seed(0)
    feed = TEACHER_FORCING.build({"type": "ScheduledSampling"})
    flags = shown(feed, batch=2000, iteration=20_000)
    assert flags[:, :SEEN].all()
    assert flags[:, SEEN:].float().mean() == pytest.approx(feed.probability(20_000), abs=0.02)

    feed = TEACHER_FORCING.build({"type": "ReverseScheduledSampling"})
    flags = shown(feed, batch=2000, iteration=30_000).float()
    past, future = feed.probabilities(30_000)
    assert flags[:, 1:SEEN].mean() == pytest.approx(past, abs=0.02)
    assert flags[:, SEEN:].mean() == pytest.approx(future, abs=0.02)


def test_samples_of_a_batch_toss_their_own_coins() -> None:
    """One coin for the whole batch would make its gradient jump between two tasks."""
    torch.manual_seed(0)
    flags = shown(TEACHER_FORCING.build({"type": "ScheduledSampling", "start": 0.5}), batch=64)
    assert len({tuple(row) for row in flags[:, SEEN:].tolist()}) > 2
