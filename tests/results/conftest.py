"""Synthetic records."""

from types import SimpleNamespace
from typing import Any

import pytest

from openstl_ext.results.protocol import Protocol, protocol_of
from openstl_ext.results.record import Record

ABOUT = {
    "mse_sum": {"unit": "squared data unit per frame", "higher_is_better": False},
    "ssim": {"unit": "1", "higher_is_better": True},
}
SHAPES = {"inputs.frames": (10, 1, 8, 8), "data_samples.frames": (10, 1, 8, 8)}


def protocol(size: int = 30, **changes: Any) -> Protocol:
    """Return the protocol of the synthetic records."""
    facts: dict[str, Any] = {
        "dataset": {"type": "Boiling", "root": "data/boiling", "split": "test"},
        "evaluator": [{"type": "SummedMSE"}, {"type": "SSIM"}],
        "metainfo": {"name": "boiling", "channels": ["temperature"], "lead": [1, "frame"]},
        "shapes": SHAPES,
    }
    return protocol_of(**{**facts, **changes}, size=size)


def record(mse: float | None = 24.0, **changes: Any) -> Record:
    """Return a record with all fields."""
    known: dict[str, Any] = {
        "config": "boiling/simvp_gsta",
        "name": "SimVP-gSTA",
        "method": "DirectForecast",
        "model": "SimVP",
        "protocol": protocol(),
        "metrics": {"mse_sum": mse, "mse_sum@1": mse, "ssim": 0.5},
        "about": ABOUT,
        "num_parameters": 46_769_665,
        "flops": 16.53e9,
        "uncounted": ["aten::gelu"],
        "frames_per_second": {
            "value": 312.0,
            "device": "cpu",
            "batch_size": 1,
            "dtype": "float32",
        },
        "seed": 0,
        "training": {"seed": 0, "model.type": "DirectForecast"},
        "date": "2026-01-01T00:00:00Z",
    }
    return Record(**{**known, **changes})


@pytest.fixture(scope="session")
def fakes() -> SimpleNamespace:
    """Return makers of records and protocols; keywords change single fields."""
    return SimpleNamespace(record=record, protocol=protocol)
