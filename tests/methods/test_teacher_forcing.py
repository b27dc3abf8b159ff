"""Which steps receive the observed frame, and how often."""

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
CONFIGS = [
    {"type": "FreeRunning"},
    {"type": "ScheduledSampling"},
    {"type": "ReverseScheduledSampling"},
]


def flags_of(forcing: Any, *, batch: int = 3, iteration: int = 0) -> torch.Tensor:
    return forcing(seen=SEEN, horizon=HORIZON, batch=batch, iteration=iteration)


@pytest.mark.parametrize("cfg", CONFIGS, ids=lambda cfg: cfg["type"])
@pytest.mark.parametrize("iteration", [0, 30_000, 10**9])
def test_every_schedule_begins_with_an_observed_frame_and_has_a_column_per_step(
    cfg: dict, iteration: int
) -> None:
    """The net has no output before the first step."""
    flags = flags_of(TEACHER_FORCING.build(cfg), batch=5, iteration=iteration)
    assert flags.shape == (5, SEEN + HORIZON - 1)
    assert flags.dtype == torch.bool
    assert flags[:, 0].all()


@pytest.mark.parametrize("cfg", CONFIGS, ids=lambda cfg: cfg["type"])
def test_the_flags_depend_on_seed_and_iteration_only(cfg: dict) -> None:
    """A resumed run would draw other flags."""
    forcing = TEACHER_FORCING.build(cfg)
    torch.manual_seed(3)
    first = flags_of(forcing, batch=16, iteration=20_000)
    flags_of(forcing, iteration=123)  # a draw in between has no effect
    torch.manual_seed(3)
    assert torch.equal(first, flags_of(TEACHER_FORCING.build(cfg), batch=16, iteration=20_000))


@pytest.mark.parametrize("cfg", CONFIGS, ids=lambda cfg: cfg["type"])
def test_late_in_training_no_future_frame_is_observed(cfg: dict) -> None:
    """Training would end with inputs that a forecast does not have."""
    flags = flags_of(TEACHER_FORCING.build(cfg), batch=32, iteration=50_000)
    assert flags[:, :SEEN].all()
    assert not flags[:, SEEN:].any()


def test_free_running_observes_the_past_only() -> None:
    """VMRNN would be trained with other inputs than it forecasts from."""
    flags = flags_of(TEACHER_FORCING.build({"type": "FreeRunning"}), batch=2)
    assert flags.tolist() == [[True] * SEEN + [False] * (HORIZON - 1)] * 2


@pytest.mark.parametrize("entry", RECORD["schedule_sampling"], ids=lambda e: f"{e['itr']}")
def test_scheduled_sampling_decreases_as_published(entry: dict) -> None:
    """Every published recipe would have another schedule."""
    rate = ARGS["sampling_changing_rate"]
    # the record starts from any probability at any iteration; ours are one closed form
    forcing = TEACHER_FORCING.build(
        {
            "type": "ScheduledSampling",
            "start": entry["eta_in"] + rate * entry["itr"],
            "rate": rate,
            "stop": ARGS["sampling_stop_iter"],
        }
    )
    probability = forcing.probability(entry["itr"])
    assert probability == pytest.approx(entry["eta_out"], abs=1e-12)
    draws = np.random.RandomState(entry["seed"]).random_sample((entry["batch_size"], HORIZON - 1))
    assert (draws < probability).tolist() == np.array(entry["flags"], dtype=bool).tolist()


@pytest.mark.parametrize(
    "entry", RECORD["reserve_schedule_sampling_exp"], ids=lambda e: f"{e['itr']}"
)
def test_reverse_scheduled_sampling_changes_as_published(entry: dict) -> None:
    """PredRNNv2 would be trained with another schedule."""
    forcing = TEACHER_FORCING.build(
        {
            "type": "ReverseScheduledSampling",
            "first": ARGS["r_sampling_step_1"],
            "second": ARGS["r_sampling_step_2"],
            "scale": ARGS["r_exp_alpha"],
        }
    )
    past, future = forcing.probabilities(entry["itr"])
    draw = np.random.RandomState(entry["seed"]).random_sample
    flags = np.concatenate(
        [
            draw((entry["batch_size"], SEEN - 1)) < past,
            draw((entry["batch_size"], HORIZON - 1)) < future,
        ],
        axis=1,
    )
    assert flags.tolist() == np.array(entry["flags"], dtype=bool).tolist()


def test_flags_are_true_with_the_probability_of_the_schedule() -> None:
    """The draws could follow another schedule than the closed form."""
    torch.manual_seed(0)
    forcing = TEACHER_FORCING.build({"type": "ScheduledSampling"})
    flags = flags_of(forcing, batch=2000, iteration=20_000)
    assert flags[:, :SEEN].all()
    assert flags[:, SEEN:].float().mean() == pytest.approx(forcing.probability(20_000), abs=0.02)

    forcing = TEACHER_FORCING.build({"type": "ReverseScheduledSampling"})
    flags = flags_of(forcing, batch=2000, iteration=30_000).float()
    past, future = forcing.probabilities(30_000)
    assert flags[:, 1:SEEN].mean() == pytest.approx(past, abs=0.02)
    assert flags[:, SEEN:].mean() == pytest.approx(future, abs=0.02)


def test_each_sample_of_a_batch_has_its_own_flags() -> None:
    """The gradient of a batch would alternate between two tasks."""
    torch.manual_seed(0)
    flags = flags_of(TEACHER_FORCING.build({"type": "ScheduledSampling", "start": 0.5}), batch=64)
    assert len({tuple(row) for row in flags[:, SEEN:].tolist()}) > 2
