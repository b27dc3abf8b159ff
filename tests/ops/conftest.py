"""What every test of a scan needs."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _no_forced_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend forced from outside would make these tests compare it with itself."""
    monkeypatch.delenv("OPENSTL_EXT_SCAN_BACKEND", raising=False)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The reference is a loop of tiny operations, at each of which threads would wait."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
