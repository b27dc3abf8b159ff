"""Trainings that are killed after each of 50 iterations, before it is saved, and resumed."""

import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from tests.e2e.test_resume import EMA, assert_same, final, losses
from tests.engine import toy_sites
from tests.engine.resume_scenarios import run_scenarios
from tests.faults.row import Row

KILLS = 50
RECURRENT = {
    "model": {
        "_delete_": True,
        "type": "RecurrentForecast",
        "net": {
            "type": "ConvLSTM",
            "in_channels": 1,
            "hidden": [4],
            "kernel_size": 3,
            "patch_size": 2,
        },
        "teacher_forcing": {"type": "ScheduledSampling", "rate": 0.02},
        "loss": {"type": "L2"},
    }
}
REGRESSION = {
    "model": {
        "_delete_": True,
        "type": "MultiHorizonRegression",
        "strategy": "direct",
        "net": {
            "type": "QuantileConvLSTM",
            "hidden_channels": 4,
            "num_layers": 1,
            "dynamic_channels": 0,
            "static_channels": 0,
            "location_channels": 0,
            "num_horizons": 2,
        },
        "quantile_levels": [0.1, 0.9],
        "terms": {
            "mse": {"loss": {"type": "L2"}},
            "low": {"loss": {"type": "Pinball", "quantile": 0.1}, "of": 0.1, "start_iteration": 9},
            "high": {"loss": {"type": "Pinball", "quantile": 0.9}, "of": 0.9},
        },
    }
}
METHODS: dict[str, dict[str, Any]] = {
    "DirectForecast": {},
    "MultiHorizonRegression": REGRESSION,
    "RecurrentForecast": RECURRENT,
    "Segmentation": toy_sites.options(),
}


def options_of(method: str, *, workers: int, ranks: int, kills: int) -> dict[str, Any]:
    """Return a run of a few more iterations than kills, which saves after each."""
    per_epoch = 8 if ranks == 1 else 4
    return {
        **METHODS[method],
        "train_cfg.max_epochs": -(-(kills + 2) // per_epoch),
        "train_dataloader.num_workers": workers,
        "custom_hooks": [{"type": "LossDiary"}, EMA],
        "default_hooks.checkpoint": {"interval": 1, "by_epoch": False},
    }


def killed_run(options: dict[str, Any], ranks: int, kills: int) -> list[dict[str, Any]]:
    """Return stages that are killed after the 2nd, 3rd, ... iteration, and one to the end."""
    stages = []
    for number in range(kills + 1):
        hooks = [*options["custom_hooks"], {"type": "KillHook", "at": number + 2}]
        hooks = hooks if number < kills else options["custom_hooks"]
        stage = {**options, "custom_hooks": hooks, "resume": number > 0}
        stages.append({"options": stage, "ranks": ranks})
    return stages


def same(reference: Path, other: Path, ranks: int) -> bool:
    """Return whether two runs have equal final states, and one loss at each iteration."""
    try:
        assert_same(final(reference), final(other))
        assert_same(
            [losses(reference, rank) for rank in range(ranks)],
            [losses(other, rank) for rank in range(ranks)],
        )
    except AssertionError:
        return False
    return True


def row_of(method: str, *, workers: int, ranks: int, kills: int) -> Row:
    """Kill and resume a run of a method, and compare it with one without interruption."""
    options = options_of(method, workers=workers, ranks=ranks, kills=kills)
    with tempfile.TemporaryDirectory() as folder:
        reference, killed = Path(folder, "reference"), Path(folder, "killed")
        codes = run_scenarios(
            {
                reference: [{"options": options, "ranks": ranks}],
                killed: killed_run(options, ranks, kills),
            }
        )
        ended = sum(max(stage, key=abs) == -9 for stage in codes[killed][:-1])
        exact = codes[killed][-1] == [0] * ranks and same(reference, killed, ranks)
    name = f"kill -9 and resume, {method}, {workers} workers, {ranks} ranks"
    return Row(name, kills, ended, ended if exact else 0, 0 if exact and ended == kills else kills)


def rows() -> Iterator[Row]:
    for method, workers, ranks in product(METHODS, (0, 2), (1, 2)):
        yield row_of(method, workers=workers, ranks=ranks, kills=KILLS)
