"""Replay the record of OpenSTL's sampling schedules."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from openstl_ext.methods.teacher_forcing import ReverseScheduledSampling, ScheduledSampling
from tests.parity.quantity import Quantity


def replay(record: dict[str, Any]) -> Iterator[Quantity]:
    """Compare numpy's recorded draws with our probabilities.

    Our classes draw with torch, so the flags are computed from the closed forms and numpy's draws
    with the recorded seed.
    """
    args = record["args"]
    seen, horizon = args["pre_seq_length"], args["aft_seq_length"]
    rate, stop = args["sampling_changing_rate"], args["sampling_stop_iter"]
    for number, entry in enumerate(record["schedule_sampling"]):
        # the record starts from any probability at any iteration; ours is one closed form
        start = entry["eta_in"] + rate * entry["itr"]
        probability = ScheduledSampling(start=start, rate=rate, stop=stop).probability(entry["itr"])
        name = f"schedule_sampling[{number}]."
        yield Quantity(name + "eta_out", abs(probability - entry["eta_out"]))
        draw = np.random.RandomState(entry["seed"]).random_sample
        flags = draw((entry["batch_size"], horizon - 1)) < probability
        yield Quantity(name + "flags", _difference(flags, entry["flags"]))

    reverse = ReverseScheduledSampling(
        first=args["r_sampling_step_1"],
        second=args["r_sampling_step_2"],
        scale=args["r_exp_alpha"],
    )
    for number, entry in enumerate(record["reserve_schedule_sampling_exp"]):
        past, future = reverse.probabilities(entry["itr"])
        draw = np.random.RandomState(entry["seed"]).random_sample
        parts = [
            draw((entry["batch_size"], seen - 1)) < past,
            draw((entry["batch_size"], horizon - 1)) < future,
        ]
        name = f"reserve_schedule_sampling_exp[{number}].flags"
        yield Quantity(name, _difference(np.concatenate(parts, axis=1), entry["flags"]))


def _difference(ours: np.ndarray, recorded: Any) -> float:
    return float(np.abs(ours.astype(float) - np.array(recorded)).max())
