"""Time that the weights of a run took to train."""

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.device import get_device


class TrainingClock:
    """Wall-clock time of a training: loading of batches and training steps, with their hooks.

    It stands still while a validation runs or a checkpoint is saved. A resumed run continues with
    the time in its checkpoint, so iterations that a killed run lost count once.

    Args:
        devices: Number of processes, each with one device.
        device: Name of the device of a process.
    """

    def __init__(self, devices: int, device: str) -> None:
        self._place = {"devices": devices, "device": device}
        self._parts: list[dict[str, Any]] | None = []
        self._began: float | None = None

    def start(self) -> None:
        """Begin to count."""
        self._began = time.perf_counter()

    def stop(self) -> None:
        """Add the time since the start, with the kernels that a GPU has still to finish."""
        if self._began is None:
            return
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds, self._began = time.perf_counter() - self._began, None
        if self._parts is None:
            return
        own = next((p for p in self._parts if {**p, **self._place} == p), None)
        if own is None:
            own = {"seconds": 0.0, **self._place}
            self._parts.append(own)
        own["seconds"] += seconds

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count what happens within; after an error the clock stands still."""
        was_running = self._began is not None
        self.stop()
        yield
        if was_running:
            self.start()

    def state(self) -> list[dict[str, Any]] | None:
        """Return ``seconds``, ``devices`` and ``device`` for each kind and number of devices.

        Returns:
            Usually one part; None if the time of an earlier part of the run is not known.
        """
        if self._parts is None:
            return None
        return [{**part, "seconds": round(part["seconds"], 3)} for part in self._parts]

    def restore(self, state: list[dict[str, Any]] | None) -> None:
        """Continue with the time of a checkpoint; None, as in earlier versions, stays None."""
        self._parts = None if state is None else [dict(part) for part in state]


def device_name() -> str:
    """Return the device of this process, as in ``NVIDIA A100`` or ``x86_64 (2 threads)``."""
    if get_device() == "cuda":
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"{platform.machine()} ({threads} thread{'s' * (threads > 1)})"
