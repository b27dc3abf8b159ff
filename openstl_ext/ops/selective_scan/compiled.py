"""Compile the C++ scan when it is first used, once for each machine and source."""

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
TUNED = ("-march=native",)  # some compilers reject it; then compile without
TIMEOUT_SECONDS = 300


class NotCompiledError(Exception):
    """The library is not available; the message contains the reason.

    Args:
        reason: One line.
        broken: Whether something failed that should work, so that the user should be warned.
    """

    def __init__(self, reason: str, *, broken: bool) -> None:
        super().__init__(reason)
        self.broken = broken


def library(source: Path = SOURCE) -> ctypes.CDLL:
    """Load the compiled scan; compile it first if this machine has not done so.

    It does not call PyTorch, so it works with any version of PyTorch.

    Raises:
        NotCompiledError: If compilation is disabled, there is no compiler, or it fails.
    """
    if os.environ.get(OPT_OUT, "0") not in ("", "0"):
        raise NotCompiledError(f"disabled by {OPT_OUT}", broken=False)
    loaded = _loaded(source)
    if isinstance(loaded, NotCompiledError):
        raise loaded
    return loaded


def cache_folder() -> Path:
    """Return the folder of compiled libraries, which belongs to this user."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "openstl_ext"


@cache
def _loaded(source: Path) -> ctypes.CDLL | NotCompiledError:
    """Load the library once per process; a failure is cached too."""
    try:
        folder = cache_folder()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:  # the home folder is not writable: compile for this process only
            folder = Path(tempfile.mkdtemp(prefix="openstl_ext-"))
        path = _compiled(source, folder)
        try:
            return ctypes.CDLL(str(path))
        except OSError:  # a damaged file: compile again
            path.unlink()
            return ctypes.CDLL(str(_compiled(source, folder)))
    except NotCompiledError as error:
        return error
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return NotCompiledError(f"{type(error).__name__}: {error}", broken=True)


def _compiled(source: Path, folder: Path) -> Path:
    """Return the path of the library, compiled if needed; concurrent processes do not conflict."""
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
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    first = errors[0] if errors else done.stderr.strip()
    raise NotCompiledError(f"`{shlex.join(command)}` failed: {first}", broken=True)


def _compiler() -> list[str]:
    """Return the command of a C++ compiler with GCC's vector extension."""
    named = shlex.split(os.environ.get("CXX", ""))
    for command in ([named] if named else []) + [["g++"], ["clang++"], ["c++"]]:
        if shutil.which(command[0]):
            return command
    raise NotCompiledError("no C++ compiler (g++, clang++ or $CXX)", broken=False)


def _processor() -> bytes:
    """Return the instruction sets of the machine: nodes that share a home folder can differ."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    keep = ("model name", "flags", "Features", "CPU part")
    about = sorted({line for line in lines if line.startswith(keep)})
    return "\n".join([platform.machine(), platform.processor(), *about]).encode()
