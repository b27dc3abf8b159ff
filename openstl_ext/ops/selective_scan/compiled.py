"""Compile the C++ scan when it is first wanted, once for each machine and source."""

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("scan.cpp")
OPT_OUT = "OPENSTL_EXT_NO_NATIVE"
FLAGS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-pthread")
TUNED = ("-march=native",)  # some compilers refuse it; then without
TIMEOUT_SECONDS = 300


class NotCompiledError(Exception):
    """There is no library, and the message says why.

    Args:
        reason: One line.
        broken: Whether something that should have worked did not, so that the user should know.
    """

    def __init__(self, reason: str, *, broken: bool) -> None:
        super().__init__(reason)
        self.broken = broken


def library(source: Path = SOURCE) -> ctypes.CDLL:
    """The compiled scan, loaded; compiled now if this machine has not done it yet.

    It calls nothing of PyTorch, so another version of PyTorch needs no other library.

    Raises:
        NotCompiledError: If compiling is switched off, or there is no compiler, or it fails.
    """
    if os.environ.get(OPT_OUT, "0") not in ("", "0"):
        raise NotCompiledError(f"switched off by {OPT_OUT}", broken=False)
    found = _loaded(source)
    if isinstance(found, NotCompiledError):
        raise found
    return found


def cache_folder() -> Path:
    """Where compiled libraries are kept, for this user alone."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "openstl_ext"


@cache
def _loaded(source: Path) -> ctypes.CDLL | NotCompiledError:
    """One try a process: a failure costs its seconds once."""
    try:
        folder = cache_folder()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:  # a home that cannot be written: compile for this process only
            folder = Path(tempfile.mkdtemp(prefix="openstl_ext-"))
        path = _compiled(source, folder)
        try:
            return ctypes.CDLL(str(path))
        except OSError:  # a damaged file; once more from the source
            path.unlink()
            return ctypes.CDLL(str(_compiled(source, folder)))
    except NotCompiledError as error:
        return error
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return NotCompiledError(f"{type(error).__name__}: {error}", broken=True)


def _compiled(source: Path, folder: Path) -> Path:
    """The library's file, found or made; of two processes at once, either's will do."""
    compiler = _compiler()
    version = subprocess.run([*compiler, "--version"], capture_output=True, timeout=60).stdout
    identity = [source.read_bytes(), repr((FLAGS, TUNED)).encode(), version, _processor()]
    key = hashlib.sha256(b"\0".join(identity)).hexdigest()[:24]
    path = folder / f"{source.stem}-{key}.so"
    if path.exists():
        return path
    with tempfile.TemporaryDirectory(dir=folder) as work:
        part = Path(work) / path.name
        for tuning in (TUNED, ()):
            command = [*compiler, *FLAGS, *tuning, "-o", str(part), str(source)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
            if done.returncode == 0:
                part.replace(path)
                return path
    said = [line for line in done.stderr.splitlines() if "error" in line] or [done.stderr.strip()]
    raise NotCompiledError(f"`{shlex.join(command)}` failed: {said[0]}", broken=True)


def _compiler() -> list[str]:
    """The command of a C++ compiler that knows GCC's vector extension."""
    named = shlex.split(os.environ.get("CXX", ""))
    for command in ([named] if named else []) + [["g++"], ["clang++"], ["c++"]]:
        if shutil.which(command[0]):
            return command
    raise NotCompiledError("no C++ compiler (g++, clang++ or $CXX)", broken=False)


def _processor() -> bytes:
    """What the machine can execute: homes are shared by nodes that differ."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    keep = ("model name", "flags", "Features", "CPU part")
    about = sorted({line for line in lines if line.startswith(keep)})
    return "\n".join([platform.machine(), platform.processor(), *about]).encode()
