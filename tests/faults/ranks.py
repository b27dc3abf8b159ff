"""Ranks that are killed, suspended, hang, or change their weights; each run is resumed."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.e2e.test_resume import EMA, assert_same, final
from tests.engine.resume_scenarios import log_of, run_scenarios
from tests.faults.row import Row

LIMIT_SECONDS = 1.0
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "killed": ({"type": "KillHook", "signum": 9}, "rank {rank}.* has ended"),
    "suspended": ({"type": "KillHook", "signum": 19}, r"rank {rank} \(.*hangs: no progress"),
    "hanging": ({"type": "HangHook"}, r"rank {rank} \(.*hangs: no progress .*iteration {at}"),
    "with other weights": ({"type": "DriftHook"}, "rank 1 differs from rank 0 in"),
}
OPTIONS = {
    "train_cfg.max_epochs": 3,
    "custom_hooks": [EMA],
    "env_cfg": {"dist_cfg": {"timeout": LIMIT_SECONDS}},
    "default_hooks.checkpoint": {"interval": 1, "by_epoch": False},
}


def row_of(kind: str, count: int) -> Row:
    """Inject one kind of fault at several iterations, on each rank in turn."""
    hook, message = FAULTS[kind]
    detected = recovered = 0
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder, "reference")
        run_scenarios({reference: [{"options": OPTIONS, "ranks": 2}]})
        for number in range(count):
            rank, at = number % 2, 2 + number
            work_dir = Path(folder, str(number))
            hooks = [EMA, {**hook, "at": at, "rank": rank}]
            first = {"options": {**OPTIONS, "custom_hooks": hooks}, "ranks": 2}
            again = {"options": {**OPTIONS, "resume": True}, "ranks": 2}
            ended, resumed = run_scenarios({work_dir: [first, again]})[work_dir]
            text = message.format(rank=rank, at=at)
            detected += all(ended) and bool(re.search(text, log_of(work_dir)))
            try:
                assert_same(final(reference), final(work_dir))
                recovered += resumed == [0, 0]
            except AssertionError:
                continue
    return Row(f"ranks {kind}", count, detected, recovered, count - min(detected, recovered))


def rows() -> Iterator[Row]:
    for kind in FAULTS:
        yield row_of(kind, 8)
