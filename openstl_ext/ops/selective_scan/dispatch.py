"""Which scan runs: chosen at call time, by device and by what works here; said once."""

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
KERNELS = ("triton", "native", "stepwise")  # by preference; the last runs anywhere
BACKENDS = ("mamba_ssm", *KERNELS, "reference")
LIMITS = {"mamba_ssm": "is not deterministic and has no gradient of the last state"}
LOG = logging.getLogger(__name__)

_announced: set[tuple[str, str]] = set()


class BackendError(UserError, RuntimeError):
    """A way to scan was asked for that does not exist, or not here."""


class Obstacle(str):
    """Why a backend cannot run; ``broken`` if it is installed and should have."""

    broken: bool

    def __new__(cls, reason: str, *, broken: bool = False) -> "Obstacle":
        obstacle = super().__new__(cls, reason)
        obstacle.broken = broken
        return obstacle


def choose(
    wanted: str | None,
    device: torch.device,
    dtype: torch.dtype,
    among: tuple[str, ...] = BACKENDS,
) -> str:
    """Name of the backend to use.

    Args:
        wanted: A name, which is then the answer or an error; None or ``auto`` asks the environment
            variable ``OPENSTL_EXT_SCAN_BACKEND``, then takes the first that works.
        device: Where the tensors are.
        dtype: What they are scanned in.
        among: What the caller can use. The reference is never chosen, only asked for.

    Raises:
        BackendError: If what was asked for is unknown or cannot run; it lists those that can.
    """
    asked = wanted
    if wanted in (None, AUTO):
        asked = os.environ.get(FORCE) or AUTO
        if asked in set(BACKENDS) - set(among):
            asked = AUTO  # the variable is for all calls; this one has less to choose from
    if asked not in (*BACKENDS, AUTO):
        where = f" (from {FORCE})" if asked != wanted else ""
        raise BackendError(
            f"there is no scan backend {asked!r}{where}; {nearest(str(asked), BACKENDS)} "
            f"Available here: {_listed(device, dtype, among)}"
        )
    passed: dict[str, Obstacle] = {}
    for name in among if asked == AUTO else (str(asked),):
        reason = obstacle(name, device, dtype)
        if name not in among:
            reason = Obstacle(
                LIMITS.get(name, "is no kernel, and this call is part of a traced program")
            )
        if reason is None:
            _announce(name, device, passed)
            return name
        passed[name] = reason
    raise BackendError(
        f"the scan backend {asked!r} cannot be used: {passed[str(asked)]}. "
        f"Available here: {_listed(device, dtype, among)}"
    )


def kernel(wanted: str, device: torch.device, dtype: torch.dtype) -> Kernel:
    """The kernel of that name, or with ``auto`` the first that works."""
    return _module(choose(wanted, device, dtype, KERNELS))


def obstacle(name: str, device: torch.device, dtype: torch.dtype) -> Obstacle | None:
    """What keeps a backend from scanning on this device in this float type, if anything."""
    if name in ("reference", "stepwise"):
        return None
    home = "cpu" if name == "native" else "cuda"
    if device.type != home:
        return Obstacle(f"runs on {home}, the tensors are on {device.type}")
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
    """Try a tiny scan and compare it, once a process: that it imports proves nothing.

    It runs in a thread of its own, where none of the caller's modes holds: a trace would record
    it, inference mode would forbid its gradients.
    """
    try:
        with ThreadPoolExecutor(1) as thread:
            if name == "mamba_ssm":
                return thread.submit(selfcheck.of_function, mamba.scan, device).result()
            return thread.submit(selfcheck.of_kernel, _module(name), device).result()
    except Exception as error:  # foreign code fails in ways of its own
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _listed(device: torch.device, dtype: torch.dtype, among: tuple[str, ...]) -> str:
    return ", ".join(name for name in among if obstacle(name, device, dtype) is None)


def _announce(name: str, device: torch.device, passed: dict[str, Obstacle]) -> None:
    """Say once what is in use and what was passed over: a slow scan must not go unseen."""
    place = (name, device.type)
    if place in _announced:
        return
    _announced.add(place)
    why = "; ".join(f"{other} {reason}" for other, reason in passed.items())
    level = logging.WARNING if any(r.broken for r in passed.values()) else logging.INFO
    LOG.log(level, "selective scan on %s: %s%s", device.type, name, f" ({why})" if why else "")
