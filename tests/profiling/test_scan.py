"""Cost of VMRNN and of its scans."""

from pathlib import Path

import pytest
import torch

from openstl_ext.config import load
from openstl_ext.profiling.flops import count_flops
from openstl_ext.profiling.report import count_parameters, in_words, profile
from openstl_ext.registry import METHODS

CONFIG = Path(__file__).parents[2] / "configs" / "taxibj" / "vmrnn_b.py"
SEEN = 7
"""Input frames of VMRNN-B on TaxiBJ: four observed, three predicted."""


@pytest.mark.slow
def test_vmrnn_b_has_its_published_cost_and_the_scan_is_separate() -> None:
    """FLOPs would not compare with published ones, or the scan would have no cost."""
    method = METHODS.build(load(CONFIG).model)
    assert count_parameters(method) == 2_218_114
    counted = count_flops(method, {"frames": torch.rand(1, 1, 2, 32, 32)}, 1)  # one step
    assert SEEN * counted.total / 1e9 == pytest.approx(0.90, abs=0.005)
    blocks, length, channels, states = 12, 8 * 8, 4 * 256, 16
    recurrence, skip = 9 * length * channels * states, length * channels
    assert counted.columns == {"scan": blocks * (recurrence + skip)}
    assert not any("scan" in name for name in counted.uncounted)


def test_the_scan_has_its_own_line_and_key() -> None:
    """The cost of a scan would be missing, or added to the other multiply-adds."""
    net = {"type": "VMRNNB", "in_channels": 1, "channels": 16, "depths": (1,), "patch_size": 2}
    method = METHODS.build(
        {
            "type": "RecurrentForecast",
            "net": net,
            "teacher_forcing": {"type": "FreeRunning"},
            "loss": {"type": "L2"},
        }
    )
    frames = {"frames": torch.rand(1, 2, 1, 8, 8)}
    found = profile(method, frames, 2)
    steps, length, channels = 3, 4 * 4, 4 * 32
    assert found["flops_scan"] == steps * (9 * length * channels * 16 + length * channels)
    assert "FLOPs, scan" in in_words(found)
