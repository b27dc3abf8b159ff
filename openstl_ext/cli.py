"""Command line: find the commands, run one, report a user's mistake without a traceback.

Each module of ``openstl_ext.commands`` with a function ``run`` is a command. Its docstring is its
help, ``add_arguments(parser)`` declares its arguments, and heavy imports are inside ``run``.
"""

import argparse
import atexit
import contextlib
import errno
import importlib
import os
import pkgutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from openstl_ext import __version__, commands
from openstl_ext.errors import UserError, nearest

SPIN = "1000"
"""How often an idle thread polls before it sleeps (libgomp's GOMP_SPINCOUNT).

By default it polls for milliseconds. With one other busy process on the machine, at every operator
it keeps the thread that it waits for off the core: a training step that takes 80 ms alone took
2,300 ms, and 190 ms with this value, which changes nothing on an idle machine.
"""
PLACES = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
    *(errno.ENOSPC, errno.EDQUOT),
)
"""Errors of a path that the user chose: permissions, a wrong name, a full disk."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and end the process; entry point of ``openstl-ext``."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    run(lambda: call(arguments))


def call(arguments: Sequence[str]) -> None:
    """Run a command with its arguments in this process.

    Raises:
        UserError: If there is no such command, or the user made a mistake.
    """
    found = find_commands()
    name = next(iter(arguments), "--help")
    if not name.startswith("-") and name not in found:
        raise UserError(f"there is no command {name!r}; {nearest(name, found)}")
    args = build_parser(found).parse_args(arguments or ["--help"])
    args.run(args)


def find_commands() -> dict[str, ModuleType]:
    """Return the modules of all commands by name."""
    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    modules = {name: importlib.import_module(f"{commands.__name__}.{name}") for name in names}
    return {name.replace("_", "-"): m for name, m in modules.items() if hasattr(m, "run")}


def build_parser(found: dict[str, ModuleType]) -> argparse.ArgumentParser:
    """Return the parser of all commands, which completes in shells that have argcomplete."""
    parser = argparse.ArgumentParser(
        prog="openstl-ext",
        description="Train, test and compare nets for spatio-temporal learning.",
        epilog="openstl-ext COMMAND --help describes a command.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, module in found.items():
        text = module.__doc__ or ""
        command = subparsers.add_parser(
            name,
            help=text.partition("\n")[0],
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    if "_ARGCOMPLETE" in os.environ:  # set by the shell function that argcomplete registers
        import argcomplete

        argcomplete.autocomplete(parser)
    return parser


def run(function: Callable[[], None]) -> None:
    """Call a function; a mistake of the user ends the process with one message and status 2.

    In a run of several processes all of them meet the same error; the first reports it and ends,
    and the launcher ends the others before they repeat it.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN)  # read when torch is imported, later
    # or `import cProfile`, which torch does, finds tools/profile.py instead of Python's own profile
    folder = Path(sys.argv[0]).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != folder]
    try:
        function()
    except (UserError, OSError) as error:
        message = message_of(error)
        if not isinstance(error, UserError):
            if error.errno not in PLACES or not error.filename:
                raise
            message = f"{error.filename}: {error.strerror}"
        is_first = (os.environ.get("RANK") or os.environ.get("SLURM_PROCID") or "0") == "0"
        time.sleep(0 if is_first else 3)
        print(f"error: {message}", file=sys.stderr, flush=True)
        exit_process(getattr(error, "status", 2))
    except KeyboardInterrupt:
        print("interrupted; call the same command again", file=sys.stderr, flush=True)
        exit_process(130)
    exit_process(0)


def exit_process(status: int) -> None:
    """End with a status; one process of several ends without finalising the interpreter.

    A thread of gloo that releases a tensor meanwhile requests a lock that is gone, and aborts: one
    test of twenty on two processes died after its work was done, and the launcher then ended the
    other process before it had written the result.
    """
    if (os.environ.get("WORLD_SIZE") or "1") != "1":
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.flush()
        os._exit(status)
    if status:
        sys.exit(status)


def message_of(error: Exception) -> str:
    """Return the message of an error, without the traceback that torch adds for a worker."""
    message, kind = str(error), type(error)
    if not message.startswith(f"Caught {kind.__name__} in "):
        return message
    return message.rpartition(f"{kind.__module__}.{kind.__qualname__}: ")[2].strip()


def print_line(text: str) -> None:
    """Print a text; a reader such as ``head`` may have closed the pipe."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the exit complains
