"""Signals in training and in validation; each stop is resumed until the next."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openstl_ext.engine.guards import SIGNALS
from tests.e2e.test_resume import EMA
from tests.engine.resume_scenarios import log_of, run_scenarios
from tests.faults.kills import same
from tests.faults.row import Row

STOPS = 25
CASES = [(ranks, workers) for ranks in (1, 2) for workers in (0, 2)]


def stopped_run(options: dict[str, Any], ranks: int, stops: int) -> list[dict[str, Any]]:
    """Return stages that are ended by a signal; every second one in the validation of an epoch.

    Only the signals save, so a stop that does not would change the final state.
    """
    per_epoch, stages = 8 // ranks, []
    for number in range(stops):
        epoch, in_validation = number // 2, bool(number % 2)
        kill = {
            "type": "KillHook",
            "at": epoch * per_epoch + (1 if in_validation else per_epoch // 2),
            "signum": int(SIGNALS[number % len(SIGNALS)]),
            "rank": number % ranks,
            "in_validation": in_validation,
            "workers": True,
        }
        hooks = [*options["custom_hooks"], kill]
        stages.append({**options, "custom_hooks": hooks, "resume": number > 0})
    stages.append({**options, "resume": True})
    return [{"options": stage, "ranks": ranks} for stage in stages]


def row_of(ranks: int, workers: int, stops: int) -> Row:
    """Stop a run many times, and compare it with one without interruption."""
    options = {
        "train_cfg.max_epochs": stops // 2 + 1,
        "param_scheduler.0.total_steps": 1000,
        "train_dataloader.num_workers": workers,
        "val_dataloader.num_workers": workers,
        "custom_hooks": [{"type": "LossDiary"}, EMA],
        "default_hooks.checkpoint": {"interval": 1000, "by_epoch": True},
    }
    with tempfile.TemporaryDirectory() as folder:
        reference, stopped = Path(folder, "reference"), Path(folder, "stopped")
        codes = run_scenarios(
            {
                reference: [{"options": options, "ranks": ranks}],
                stopped: stopped_run(options, ranks, stops),
            }
        )
        expected = [128 + SIGNALS[number % len(SIGNALS)] for number in range(stops)]
        detected = sum(
            stage == [code] * ranks
            for stage, code in zip(codes[stopped][:-1], expected, strict=True)
        )
        detected = min(detected, log_of(stopped).count("continue with --resume"))
        exact = codes[stopped][-1] == [0] * ranks and same(reference, stopped, ranks)
    name = f"signals in training and validation, {workers} workers, {ranks} ranks"
    lost = stops - detected if exact else stops
    return Row(name, stops, detected, stops if exact else 0, lost)


def rows() -> Iterator[Row]:
    for ranks, workers in CASES:
        yield row_of(ranks, workers, STOPS)
