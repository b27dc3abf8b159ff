"""Command line: find the commands, run one, report a user's mistake without a traceback.

Each module of ``openstl_ext.commands`` with a function ``run`` is a command. Its docstring is its
help, ``add_arguments(parser)`` declares its arguments, and heavy imports are inside ``run``.
"""

import argparse
import atexit
import contextlib
import importlib
import io
import logging
import os
import pkgutil
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from openstl_ext import __version__, commands
from openstl_ext.errors import UserError, nearest, printable, sentence_of
from openstl_ext.progress_line import display, quiet

_format_warning = warnings.formatwarning
PAIRS = ("--cfg-options", "--set")
"""Options that take one or several KEY=VALUE."""
SPIN = "1000"
"""How often an idle thread polls before it sleeps (libgomp's GOMP_SPINCOUNT).

By default it polls for milliseconds. With one other busy process on the machine, at every operator
it keeps the thread that it waits for off the core: a training step that takes 80 ms alone took
2,300 ms, and 190 ms with this value, which changes nothing on an idle machine.
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and end the process; entry point of ``openstl-ext``."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    run(lambda: call(arguments))


def call(arguments: Sequence[str]) -> None:
    """Run a command with its arguments in this process.

    Raises:
        UserError: If there is no such command, or the user made a mistake.
    """
    if bad := [word for word in arguments if "\0" in word]:
        raise UserError(f"{bad[0]!r} has a NUL character, which no path or value may have")
    found = find_commands()
    name = next(iter(arguments), "--help")
    if not name.startswith("-") and name not in found:
        raise UserError(f"there is no command {name!r}; {nearest(name, found)}")
    parser = build_parser(found)
    if name in found:
        args = parse(command_parsers(parser)[name], arguments[1:])
    else:
        args = parser.parse_args(arguments or ["--help"])
    with quiet(getattr(args, "quiet", False)):
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


def command_parsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command by name."""
    (subparsers,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(subparsers.choices)


def parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments of a command, whose options may stand between its positional ones.

    argparse assigns optional positional arguments as soon as an option follows, so that CHECKPOINT
    in ``test CONFIG --seed 1 CHECKPOINT`` would be unknown. ``parse_intermixed_args`` avoids that,
    but refuses parsers with commands or a remainder.
    """
    nested = (argparse.PARSER, argparse.REMAINDER)
    if any(action.nargs in nested for action in parser._actions):
        return parser.parse_args(words)
    return parser.parse_intermixed_args(separated(words))


def separated(words: Sequence[str]) -> list[str]:
    """Return arguments in which a path that follows a list of KEY=VALUE stands before it.

    In ``test --cfg-options a=1 CONFIG`` the list would take CONFIG. A word after a comma continues
    a value, such as ``[1, 2]``.
    """
    found: list[str] = []
    start: int | None = None
    for word in words:
        if word.startswith("-"):
            following = len(found) if start is None else start  # after another list
            start = following if word in PAIRS else None
        elif start is not None and not found[-1].endswith(",") and looks_like_path(word):
            found.insert(start, word)
            start += 1
            continue
        found.append(word)
    return found


def looks_like_path(word: str) -> bool:
    """Return whether a word is a path or a name of a config or checkpoint, and no KEY=VALUE."""
    is_name = "/" in word or word in ("best", "latest") or word.endswith((".py", ".pth"))
    return "=" not in word and (is_name or Path(word).exists())


def run(function: Callable[[], None]) -> None:
    """Call a function; a mistake of the user ends the process with one message and status 2.

    Notes of the error, such as a list of what is known, follow on lines of their own.

    Other errors keep their traceback and end with status 1. In a run of several processes all of
    them meet the same error; the first reports it and ends, and the launcher ends the others before
    they repeat it.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN)  # read when torch is imported, later
    # or `import cProfile`, which torch does, finds tools/profile.py instead of Python's own profile
    folder = Path(sys.argv[0]).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != folder]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not in a notebook
            stream.reconfigure(errors="backslashreplace")
    warnings.formatwarning = format_warning
    logging.setLogRecordFactory(PrintableRecord)
    logging.raiseExceptions = False  # no traceback per line when the reader of a pipe has ended
    try:
        function()
    except KeyboardInterrupt:
        display().close()
        print("interrupted; call the same command again", file=sys.stderr, flush=True)
        exit_process(130)
    except BrokenPipeError:
        exit_process(128 + 13)  # as a process that SIGPIPE ends
    except Exception as error:
        display().close()
        message = sentence_of(error)
        if message is None:
            raise
        is_first = (os.environ.get("RANK") or os.environ.get("SLURM_PROCID") or "0") == "0"
        time.sleep(0 if is_first else 3)
        with contextlib.suppress(BrokenPipeError):
            print(f"error: {printable(message)}", file=sys.stderr, flush=True)
            for note in getattr(error, "__notes__", ()) if isinstance(error, UserError) else ():
                print(printable(note), file=sys.stderr, flush=True)
        exit_process(getattr(error, "status", 2))
    finally:
        flush()
    exit_process(0)


def format_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Return the text of a Python warning; one of ours is for a user, who needs no line of code."""
    if issubclass(category, UserWarning) and Path(filename).is_relative_to(Path(__file__).parent):
        return f"warning: {printable(str(message))}\n"
    return printable(_format_warning(message, category, filename, lineno, line))


class PrintableRecord(logging.LogRecord):
    """Line of a log whose message controls no terminal; it may name any file."""

    def getMessage(self) -> str:  # noqa: N802
        """Return the message with its arguments."""
        return printable(super().getMessage())


def exit_process(status: int) -> None:
    """End with a status; one process of several ends without finalising the interpreter.

    A thread of gloo that releases a tensor meanwhile requests a lock that is gone, and aborts: one
    test of twenty on two processes died after its work was done, and the launcher then ended the
    other process before it had written the result.
    """
    if (os.environ.get("WORLD_SIZE") or "1") != "1":
        atexit._run_exitfuncs()
        flush()
        os._exit(status)
    if status:
        sys.exit(status)


def flush() -> None:
    """Write buffered lines; a stream whose reader has ended leads nowhere from here on."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # or the exit complains


def print_line(text: str) -> None:
    """Print a text; a reader such as ``head`` may have closed the pipe."""
    with contextlib.suppress(BrokenPipeError):
        print(printable(text))
    flush()


def warn(text: str) -> None:
    """Print a warning."""
    with contextlib.suppress(BrokenPipeError):
        print(f"warning: {printable(text)}", file=sys.stderr, flush=True)
