"""Peak memory of this process, or of a GPU's allocator."""

import sys
from pathlib import Path

import torch

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
NEW_PEAK = "5"
"""What Linux takes to begin a new peak of a process (proc_pid_clear_refs(5))."""


def reset_peak(device: torch.device) -> bool:
    """Begin a new peak at what is in use now.

    Returns:
        Whether the system can; otherwise the peak is that since the start of the process.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return True
    try:
        CLEAR.write_text(NEW_PEAK, encoding="ascii")
    except OSError:  # another system, or a container that does not allow it
        return False
    return True


def peak_bytes(device: torch.device) -> int | None:
    """Return the peak memory in bytes: of the GPU's allocator, or of this process.

    On Linux it is VmHWM, as ``ru_maxrss`` is inherited from the parent; None on Windows.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if STATUS.is_file():
        lines = STATUS.read_text(encoding="ascii").splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
