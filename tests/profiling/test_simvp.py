"""Size and cost of SimVP-gSTA."""

from pathlib import Path

import pytest
import torch

from openstl_ext.config import load
from openstl_ext.profiling.flops import count_flops
from openstl_ext.profiling.report import count_parameters
from openstl_ext.registry import METHODS

CONFIG = Path(__file__).parents[2] / "configs" / "boiling" / "simvp_gsta.py"


@pytest.mark.slow
def test_simvp_gsta_has_its_published_size_and_flops() -> None:
    """FLOPs would not compare with OpenSTL's, or the net would be a different one."""
    method = METHODS.build(load(CONFIG).model)
    assert count_parameters(method) == 46_769_665
    counted = count_flops(method, {"frames": torch.zeros(1, 10, 1, 64, 64)}, 10)
    assert counted.total / 1e9 == pytest.approx(16.53, abs=0.005)
