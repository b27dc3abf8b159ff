"""Start a script in several processes, on this machine or on several, through torchrun.

``python -m openstl_ext.launch NUM_PROCESSES SCRIPT [ARGUMENTS ...]``; in place of the script,
``-m openstl_ext train`` works as well. It reads NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT (or
PORT); on one node it finds a free port itself.
"""

import logging
import os
import signal
import sys
from collections.abc import Mapping, MutableMapping

from openstl_ext.environment import number_in
from openstl_ext.errors import ConfigError

FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU")
SAVE_SECONDS = 120
"""Time for the ranks to save and end after a signal."""


def main() -> int:
    """Run to the end, and return the exit status of the process that failed first."""
    try:
        options = rendezvous(sys.argv[1] if len(sys.argv) > 1 else "", os.environ)
        if len(sys.argv) < 3:
            raise ConfigError("no script to start; give one after the number of processes")
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    set_defaults(os.environ, processes=int(sys.argv[1]))
    from torch.distributed import DistError
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous import RendezvousError
    from torch.distributed.run import get_args_parser, run

    logging.disable(logging.ERROR)  # each rank reports its own error; torchrun would repeat it
    parser = get_args_parser()
    known = parser.format_help()  # torch before 2.13 lacks these two
    stops = {"--signals-to-handle": forwarded(), "--shutdown-timeout": SAVE_SECONDS}
    options += [f"{name}={value}" for name, value in stops.items() if name in known]
    try:
        run(parser.parse_args([*options, "--", *sys.argv[2:]]))
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if (code := failure.exitcode) > 0:
            return code
        name = failure.signal_name()
        print(f"rank {rank} was ended by signal {-code} ({name})", file=sys.stderr)
        return 128 - code
    except SignalException as error:
        return 128 + error.sigval
    except (DistError, RendezvousError) as error:  # port in use, address not reached
        print(
            f"error: {str(error).partition(chr(10))[0]}; set MASTER_ADDR and MASTER_PORT to an "
            "address and a free port that all nodes reach",
            file=sys.stderr,
        )
        return 2
    return 0


def rendezvous(processes: str, environ: Mapping[str, str]) -> list[str]:
    """Return the options of torchrun for the number of processes and their address.

    Args:
        processes: Number of processes on each node.
        environ: NNODES, NODE_RANK, MASTER_ADDR, MASTER_PORT or PORT; all optional on one node.

    Raises:
        ConfigError: If a number is not valid, or several nodes have no address.
    """
    if not (processes.isascii() and processes.isdigit() and 0 < int(processes[:9]) <= 4096):
        raise ConfigError(
            f"the number of GPUs (or processes) is a number from 1 to 4096, not {processes!r}"
        )
    nodes = number_in(environ, "NNODES", default=1, low=1)
    node = number_in(environ, "NODE_RANK", default=0, high=nodes - 1)
    port = number_in(environ, "PORT", default=0, high=65535)
    port = number_in(environ, "MASTER_PORT", default=port, high=65535)
    address = environ.get("MASTER_ADDR")
    options = [f"--nproc-per-node={processes}", f"--nnodes={nodes}"]
    if nodes == 1 and not port:
        # the name of this machine, which torchrun would use, is not always known to the resolver
        return [*options, "--standalone", "--local-addr=localhost"]
    if nodes > 1 and (not address or "NODE_RANK" not in environ):
        raise ConfigError(f"NNODES={nodes} needs MASTER_ADDR, and NODE_RANK on each node")
    return [
        *options,
        f"--node-rank={node}",
        f"--master-addr={address or 'localhost'}",
        f"--master-port={port or 29500}",
    ]


def set_defaults(environ: MutableMapping[str, str], *, processes: int) -> None:
    """Divide the cores among the processes, and silence torch about connections to lost ranks.

    A variable that the user has set is kept.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # mmengine and torchrun warn without
        environ.setdefault(name, str(max(1, (cores or 1) // processes)))
    environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")


def forwarded() -> str:
    """Return the names of the signals to forward, without those ignored, as under ``nohup``."""
    names = [name for name in FORWARDED if hasattr(signal, name)]
    return ",".join(
        name for name in names if signal.getsignal(getattr(signal, name)) != signal.SIG_IGN
    )


if __name__ == "__main__":
    sys.exit(main())
