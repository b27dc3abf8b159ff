"""Peak memory of this process and of a GPU."""

import sys
from pathlib import Path

import pytest
import torch

from openstl_ext.profiling import memory
from openstl_ext.profiling.memory import peak_bytes, reset_peak

CPU = torch.device("cpu")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux begins a new peak")
def test_a_new_peak_begins_at_what_is_in_use() -> None:
    """The memory of a test would be that of the training before it."""
    block = bytearray(200_000_000)
    before = peak_bytes(CPU)
    del block
    if not reset_peak(CPU):
        pytest.skip("the container does not allow it")
    after = peak_bytes(CPU)
    assert before is not None
    assert after is not None
    assert before - after > 150_000_000


def test_a_system_that_begins_no_new_peak_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "no folder" / "clear_refs")
    assert not reset_peak(CPU)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_peak_of_a_gpu_is_that_of_its_allocator() -> None:
    device = torch.device("cuda")
    block = torch.empty(200_000_000, dtype=torch.uint8, device=device)
    assert (peak_bytes(device) or 0) >= 200_000_000
    del block
    assert reset_peak(device)
    assert (peak_bytes(device) or 0) < 200_000_000
