"""Selective scan, compared with recorded outputs of mamba_ssm."""

import json
from pathlib import Path

from tests.parity.scan_records import replay_selective_scan

RECORD = Path(__file__).parent / "golden" / "selective_scan.json"


def test_recorded_scans_are_met_by_every_backend() -> None:
    """Weights trained with mamba_ssm would give other outputs."""
    quantities = list(replay_selective_scan(json.loads(RECORD.read_text())))
    names = [q.name for q in quantities]
    assert {name.split(".")[1] for name in names} >= {"stepwise", "reference"}
    assert sum(".stepwise." in name for name in names) == 115
    assert not [q for q in quantities if not q.error <= 1e-5]


def test_a_wrong_gradient_is_detected() -> None:
    """A replay that accepts every value would accept every scan."""
    record = json.loads(RECORD.read_text())
    record["cases"] = record["cases"][-1:]
    record["cases"][0]["grad"]["A"]["samples"]["values"][3] *= 1.01
    off = [q.name for q in replay_selective_scan(record) if not q.error <= 1e-5]
    assert "constant_B.stepwise.grad.A" in off
    assert all(name.endswith(".grad.A") for name in off)
