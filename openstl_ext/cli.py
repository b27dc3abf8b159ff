"""What the command-line tools share: common arguments, and errors without a traceback."""

import argparse
import atexit
import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config

from openstl_ext import config
from openstl_ext.errors import UserError

SPIN = "1000"
"""How often a thread that has nothing to do looks before it sleeps (libgomp's GOMP_SPINCOUNT).

By default it looks for milliseconds. Beside one other busy process that keeps the thread it waits
for off the core, at every operator: a training step that takes 80 ms alone took 2,300 ms, and
190 ms with this, which costs nothing on an idle machine.
"""
PLACES = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
    *(errno.ENOSPC, errno.EDQUOT),
)
"""What may be wrong with a place that the user chose: rights, a name, no room."""
AMP = ("+optim_wrapper.type=AutocastOptimWrapper", "+optim_wrapper.dtype=bfloat16")


def run(main: Callable[[], None]) -> None:
    """Call a tool; a mistake of the user ends it with one message and the status 2.

    In a run of many processes all of them meet the same error; the first says it and ends, and the
    launcher ends the others before they repeat it.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN)  # read when torch is imported, later
    # or `import cProfile`, which torch does, finds tools/profile.py instead of Python's own profile
    folder = Path(sys.argv[0]).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != folder]
    try:
        main()
    except (UserError, OSError) as error:
        message = said(error)
        if not isinstance(error, UserError):
            if error.errno not in PLACES or not error.filename:
                raise
            message = f"{error.filename}: {error.strerror}"
        rank = int(os.environ.get("RANK") or os.environ.get("SLURM_PROCID") or 0)
        time.sleep(3 if rank else 0)
        print(f"error: {message}", file=sys.stderr, flush=True)
        leave(2)
    except KeyboardInterrupt:
        leave(130)
    leave(0)


def leave(status: int) -> None:
    """End with a status; a process of several ends without taking the interpreter apart.

    A thread of gloo that lets go of a tensor meanwhile asks for a lock that is gone, and aborts:
    one test of twenty on two processes died after its work was done, and the launcher then ended
    the other process before it had written the result.
    """
    if int(os.environ.get("WORLD_SIZE") or 1) > 1:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.flush()
        os._exit(status)
    if status:
        sys.exit(status)


def said(error: Exception) -> str:
    """The message of an error, also where torch has put a worker's traceback around it."""
    message, kind = str(error), type(error)
    if not message.startswith(f"Caught {kind.__name__} in "):
        return message
    return message.rpartition(f"{kind.__module__}.{kind.__qualname__}: ")[2].strip()


def say(text: str) -> None:
    """Print, to a reader such as ``head`` that may have seen enough."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the exit complains


def add_config(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Add the config and how to change it."""
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?" if optional else None,
        help="such as configs/boiling/simvp_gsta_small.py",
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="set values of the config, as in optim_wrapper.optimizer.lr=1e-4; +KEY=VALUE adds one",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add where and how a run happens."""
    parser.add_argument("--work-dir", metavar="DIR", help="default: work_dirs/<config>/seed_<seed>")
    parser.add_argument("--seed", type=int, help="what all chance of the run depends on")
    parser.add_argument(
        "--launcher",
        choices=("none", "pytorch", "slurm"),
        default="none",
        help="who starts the processes; dist_train.sh and slurm_train.sh set it",
    )
    parser.add_argument(
        "--track",
        choices=("offline", "online"),
        help="tell Weights & Biases too; needs pip install 'openstl_ext[track]'",
    )


def load(args: argparse.Namespace) -> Config:
    """The config that the arguments describe."""
    options = [*args.cfg_options, *(AMP if getattr(args, "amp", False) else ())]
    cfg = config.load(
        args.config,
        options,
        seed=getattr(args, "seed", None),
        work_dir=getattr(args, "work_dir", None),
    )
    if getattr(args, "launcher", "none") != "none":
        cfg.launcher = args.launcher
    if getattr(args, "track", None):
        cfg.track = args.track  # no override: who is told does not make a run a probe
    return cfg
