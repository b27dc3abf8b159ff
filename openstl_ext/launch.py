"""Start a script in several processes, on this machine or on several, through torchrun.

``python -m openstl_ext.launch NUM_PROCESSES SCRIPT [ARGUMENTS ...]``; in place of the script,
``-m openstl_ext train`` works as well. It reads NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT (or
PORT); on one node it finds a free port itself.
"""

import logging
import os
import sys
from collections.abc import Mapping

from openstl_ext.errors import ConfigError


def main() -> int:
    """Run to the end, and return the exit status of the process that failed first."""
    try:
        options = rendezvous(sys.argv[1] if len(sys.argv) > 1 else "", os.environ)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    share_cores(int(sys.argv[1]))
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import get_args_parser, run

    # each process reports its own error; torchrun would add two reports of its own
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    try:
        run(get_args_parser().parse_args([*options, *sys.argv[2:]]))
    except ChildFailedError as error:
        code = error.get_first_failure()[1].exitcode
        return code if code >= 0 else 128 - code
    except SignalException as error:
        return 128 + error.sigval
    return 0


def rendezvous(processes: str, environ: Mapping[str, str]) -> list[str]:
    """Return the options of torchrun for the number of processes and their address.

    Args:
        processes: Number of processes on each node.
        environ: NNODES, NODE_RANK, MASTER_ADDR, MASTER_PORT or PORT; all optional on one node.

    Raises:
        ConfigError: If a number is not valid, or several nodes have no address.
    """
    nodes = environ.get("NNODES", "1")
    numbers = {"the number of GPUs (or processes)": processes, "NNODES": nodes}
    for name, value in numbers.items():
        if not value.isdigit() or int(value) < 1:
            raise ConfigError(f"{name} is a number from 1, not {value!r}")
    options = [f"--nproc-per-node={processes}", f"--nnodes={nodes}"]
    port = environ.get("MASTER_PORT") or environ.get("PORT")
    address = environ.get("MASTER_ADDR")
    if int(nodes) == 1 and port is None:
        return [*options, "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0"]
    if int(nodes) > 1 and (address is None or "NODE_RANK" not in environ):
        raise ConfigError(f"NNODES={nodes} needs MASTER_ADDR, and NODE_RANK on each node")
    return [
        *options,
        f"--node-rank={environ.get('NODE_RANK', '0')}",
        f"--master-addr={address or 'localhost'}",
        f"--master-port={port or 29500}",
    ]


def share_cores(processes: int) -> None:
    """Divide the cores among the processes, unless the user has set it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # mmengine and torchrun warn without
        os.environ.setdefault(name, str(max(1, (cores or 1) // processes)))


if __name__ == "__main__":
    sys.exit(main())
