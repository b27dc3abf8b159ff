"""Fixtures of all tests of scans."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _no_forced_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset the variable that selects a backend, or tests would compare it with itself."""
    monkeypatch.delenv("OPENSTL_EXT_SCAN_BACKEND", raising=False)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Use one thread, because threads would wait at each small operation of the reference."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
