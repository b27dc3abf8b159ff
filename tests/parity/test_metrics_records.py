"""Metrics, compared with recorded scores of OpenSTL and simvp_minimal."""

import json
import math
from pathlib import Path

import pytest

from tests.parity.metrics_records import replay_openstl_metrics, replay_simvp_minimal_metrics

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("file", "replay", "number"),
    [
        ("metrics.json", replay_openstl_metrics, 218),
        ("simvp_minimal_metrics.json", replay_simvp_minimal_metrics, 30),
    ],
)
def test_recorded_scores_are_met(file: str, replay: type, number: int) -> None:
    """Our scores could not be compared with published ones."""
    quantities = list(replay(json.loads((GOLDEN / file).read_text())))
    assert len(quantities) == number, "a recorded score is not compared any more"
    assert not [q for q in quantities if not q.error <= 1e-6]


def test_a_wrong_score_is_detected() -> None:
    """A replay that accepts every value would accept every convention."""
    record = json.loads((GOLDEN / "metrics.json").read_text())
    record["cases"][0]["result"]["ssim"] += 1e-3
    record["ssim_frames"][0]["ssim_per_frame"][1][2] += 1e-3
    off = [q.name for q in replay_openstl_metrics(record) if not q.error <= 1e-5]
    assert off == ["cases[0].ssim", "ssim_frames[0].ssim_per_frame"]


def test_a_reference_without_a_number_is_compared_with_what_ours_documents() -> None:
    """A frame smaller than the window would be reported as a difference, or as a traceback."""
    record = json.loads((GOLDEN / "metrics.json").read_text())
    small = {**record["functions"][0], "shape": [1, 1, 1, 8, 8]}
    kept = {
        key: small[key]
        for key in ("pred_seed", "true_seed", "shape", "true_recipe")
        if key in small
    }
    frame = "SSIM_cv2 frame [0,0,0]*255"
    (found,) = replay_openstl_metrics({"cases": [], "functions": [{**kept, frame: math.nan}]})
    assert found.error == 0
    (wrong,) = replay_openstl_metrics({"cases": [], "functions": [{**kept, frame: 0.5}]})
    assert not wrong.error <= 1e-5
    large = {**kept, "shape": [1, 1, 1, 16, 16], frame: math.nan}
    (other,) = replay_openstl_metrics({"cases": [], "functions": [large]})
    assert not other.error <= 1e-5
    per_frame = {**kept, "ssim_per_frame": [[math.nan]], "shape": [1, 1, 1, 6, 6]}
    (single,) = replay_openstl_metrics({"cases": [], "ssim_frames": [per_frame]})
    assert single.error == 0
