"""Select the backend of a scan at call time, by device and availability; log it once."""

import importlib
import importlib.util
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import cast

import torch

from openstl_ext.errors import UserError, nearest
from openstl_ext.ops.selective_scan import compiled, mamba, selfcheck
from openstl_ext.ops.selective_scan.kernel import Kernel

AUTO = "auto"
FORCE = "OPENSTL_EXT_SCAN_BACKEND"
KERNELS = ("triton", "native", "stepwise")  # in order of preference; the last runs anywhere
BACKENDS = ("mamba_ssm", *KERNELS, "reference")
LIMITS = {"mamba_ssm": "is not deterministic and has no gradient of the last state"}
LOG = logging.getLogger(__name__)

_announced: set[tuple[str, str]] = set()


class BackendError(UserError, RuntimeError):
    """The requested scan backend does not exist or cannot run here."""


class Obstacle(str):
    """Reason why a backend cannot run; ``broken`` if it is installed and should run."""

    broken: bool

    def __new__(cls, reason: str, *, broken: bool = False) -> "Obstacle":
        obstacle = super().__new__(cls, reason)
        obstacle.broken = broken
        return obstacle


def choose(
    requested: str | None,
    device: torch.device,
    dtype: torch.dtype,
    among: tuple[str, ...] = BACKENDS,
) -> str:
    """Return the name of the backend to use.

    Args:
        requested: A name, which is then returned or an error. With None or ``auto`` the environment
            variable ``OPENSTL_EXT_SCAN_BACKEND`` is used, then the first backend that works.
        device: Device of the tensors.
        dtype: Float type of the scan.
        among: Backends that the caller can use, in order of preference. The reference is only used
            if requested.

    Raises:
        BackendError: If the request is unknown or cannot run; it lists those that can.
    """
    name_or_auto = requested
    if requested in (None, AUTO):
        name_or_auto = os.environ.get(FORCE) or AUTO
        if name_or_auto in set(BACKENDS) - set(among):
            name_or_auto = AUTO  # the variable applies to all calls, this call supports fewer
    if name_or_auto not in (*BACKENDS, AUTO):
        where = f" (from {FORCE})" if name_or_auto != requested else ""
        raise BackendError(
            f"unknown scan backend {name_or_auto!r}{where}; {nearest(str(name_or_auto), BACKENDS)} "
            f"Available here: {_listed(device, dtype, among)}"
        )
    skipped: dict[str, Obstacle] = {}
    for name in among if name_or_auto == AUTO else (str(name_or_auto),):
        reason = obstacle(name, device, dtype)
        if name not in among:
            reason = Obstacle(
                LIMITS.get(name, "is no kernel, and this call is part of a traced program")
            )
        if reason is None:
            _announce(name, device, skipped)
            return name
        skipped[name] = reason
    raise BackendError(
        f"the scan backend {name_or_auto!r} cannot be used: {skipped[str(name_or_auto)]}. "
        f"Available here: {_listed(device, dtype, among)}"
    )


def kernel(requested: str, device: torch.device, dtype: torch.dtype) -> Kernel:
    """Return the kernel of that name, or with ``auto`` the first that works."""
    return _module(choose(requested, device, dtype, KERNELS))


def obstacle(name: str, device: torch.device, dtype: torch.dtype) -> Obstacle | None:
    """Return the reason why a backend cannot scan on this device in this float type, or None."""
    if name in ("reference", "stepwise"):
        return None
    supported = "cpu" if name == "native" else "cuda"
    if device.type != supported:
        return Obstacle(f"runs on {supported}, the tensors are on {device.type}")
    if dtype != torch.float32:
        return Obstacle(f"computes in float32, not in {dtype}".replace("torch.", ""))
    if name == "native":
        try:
            compiled.library()
        except compiled.NotCompiledError as error:
            return Obstacle(str(error), broken=error.broken)
    elif not _installed(name):
        return Obstacle("not installed")
    reason = _failure(name, device)
    return Obstacle(reason, broken=True) if reason else None


def _module(name: str) -> Kernel:
    return cast(Kernel, importlib.import_module(f"openstl_ext.ops.selective_scan.{name}"))


@cache
def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@cache
def _failure(name: str, device: torch.device) -> str | None:
    """Compare a small scan with the reference, once per process: an import alone is not enough.

    It runs in a separate thread, where the caller's modes are not active: a trace would record it,
    and inference mode would disable its gradients.
    """
    try:
        with ThreadPoolExecutor(1) as thread:
            if name == "mamba_ssm":
                return thread.submit(selfcheck.of_function, mamba.scan, device).result()
            return thread.submit(selfcheck.of_kernel, _module(name), device).result()
    except Exception as error:  # third-party code can raise anything
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _listed(device: torch.device, dtype: torch.dtype, among: tuple[str, ...]) -> str:
    return ", ".join(name for name in among if obstacle(name, device, dtype) is None)


def _announce(name: str, device: torch.device, skipped: dict[str, Obstacle]) -> None:
    """Log once which backend is used and which were skipped, so that a slow scan is noticed."""
    key = (name, device.type)
    if key in _announced:
        return
    _announced.add(key)
    why = "; ".join(f"{other} {reason}" for other, reason in skipped.items())
    level = logging.WARNING if any(r.broken for r in skipped.values()) else logging.INFO
    LOG.log(level, "selective scan on %s: %s%s", device.type, name, f" ({why})" if why else "")
