"""Replay the record of the boiling simulation."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from openstl_ext.datasets.synthetic.boiling_simulation import BOILING_POINT, simulate
from tests.parity.quantity import Quantity


def replay(record: dict[str, Any]) -> Iterator[Quantity]:
    """Simulate every case of a record from its initial map, in degrees and as share of boiling."""
    cases = record["cases"]
    for number, case in enumerate(cases):
        prefix = f"case{number}." if len(cases) > 1 else ""
        initial = np.array(case["initial"]["values"]).astype(np.float32)
        initial = initial.reshape(1, *case["initial"]["shape"])
        options = {"num_frames": case["frames"], "increment": case["increment"]}
        degrees = simulate(initial, **options)[0]
        shares = simulate(initial, **options, scale=BOILING_POINT)[0]
        for name, ours, scale in (
            ("history", degrees, BOILING_POINT),
            ("normalized", shares, 1.0),
            ("final", degrees[-1], BOILING_POINT),
        ):
            yield Quantity(prefix + name, _distance(ours, case[name]) / scale)


def _distance(ours: np.ndarray, recorded: Any) -> float:
    theirs = np.array(recorded, dtype=np.float64).reshape(ours.shape)
    return float(np.abs(ours - theirs).max())
