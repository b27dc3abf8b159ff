"""Start a script in several processes, on this machine or on several, and end them together.

``python -m openstl_ext.launch NUM_PROCESSES SCRIPT [ARGUMENTS ...]``; in place of the script,
``-m openstl_ext train`` works as well. It reads NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT (or
PORT); on one node it finds a free port itself. torchrun works too, but it ends processes that save
after a signal when 30 seconds are over, and SIGUSR1 ends it without them.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from openstl_ext.environment import number_in
from openstl_ext.errors import ConfigError

FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")
POLL_SECONDS = 0.05
SAME_SECONDS = 0.5

# Time for the other ranks to end by themselves after one has ended.
AFTER_REPORT = 1.0  # with an error: it has reported it, and the others would repeat it
AFTER_KILL = 15.0  # by a signal: the others report which rank is gone
AFTER_STOP = 120.0  # after it has saved: rank 0 ends last
AFTER_SECOND_CTRL_C = 2.0


def main() -> int:
    """Run to the end, and return the exit status of the process that failed first."""
    try:
        ranks = environments(sys.argv[1] if len(sys.argv) > 1 else "", os.environ)
        if len(sys.argv) < 3:
            raise ConfigError("no script to start; give one after the number of processes")
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    command = [sys.executable, "-u", *sys.argv[2:]]
    return Supervisor(command, ranks).run()


def environments(processes: str, environ: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the variables of each process of this node, as torchrun sets them.

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
    count, nodes = int(processes), number_in(environ, "NNODES", default=1, low=1)
    node = number_in(environ, "NODE_RANK", default=0, high=nodes - 1)
    address = environ.get("MASTER_ADDR")
    if nodes > 1 and (not address or "NODE_RANK" not in environ):
        raise ConfigError(f"NNODES={nodes} needs MASTER_ADDR, and NODE_RANK on each node")
    default = number_in(
        environ, "PORT", default=free_port() if nodes == 1 else 29500, low=1, high=65535
    )
    port = number_in(environ, "MASTER_PORT", default=default, low=1, high=65535)
    common = {
        "WORLD_SIZE": str(nodes * count),
        "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": address or "127.0.0.1",
        "MASTER_PORT": str(port),
        # torch would print its own report of each connection that a lost rank breaks
        "TORCH_CPP_LOG_LEVEL": environ.get("TORCH_CPP_LOG_LEVEL", "ERROR"),
        **{name: environ.get(name) or str(cores_each(count)) for name in THREADS},
    }
    return [
        {**common, "RANK": str(node * count + local), "LOCAL_RANK": str(local)}
        for local in range(count)
    ]


THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # mmengine sets 1 and warns without


def cores_each(processes: int) -> int:
    """Return the number of cores per process, at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // processes)


def free_port() -> int:
    """Return a port that no process uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Supervisor:
    """Start the ranks of a node, forward signals to them, and end all when one has failed.

    Each rank has a session of its own, so that a Ctrl-C of the terminal arrives once, through this
    process. A rank ends by itself when this process is gone; see ``engine/rank_watch.py``.

    Args:
        command: The command of every rank.
        ranks: Variables of each rank.
    """

    def __init__(self, command: Sequence[str], ranks: Sequence[Mapping[str, str]]) -> None:
        self.command, self.environments = list(command), ranks
        self.ranks: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.received: list[int] = []
        self.status = 0
        self.deadline = float("inf")

    def run(self) -> int:
        """Return the exit status of the rank that failed first, after all have ended."""
        for name in FORWARDED:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda number, _: self.received.append(number))
        try:
            for environment in self.environments:
                process = subprocess.Popen(
                    self.command, env={**os.environ, **environment}, start_new_session=True
                )
                self.ranks.append((environment["RANK"], process))
            self._wait()
        finally:
            self._kill()
        return self.status

    def _wait(self) -> None:
        running = dict(self.ranks)
        forwarded, interrupted_at = 0, float("inf")
        while running:
            for number in self.received[forwarded:]:
                forwarded += 1
                if number == signal.SIGINT:
                    if time.monotonic() > interrupted_at + SAME_SECONDS:
                        self._end_within(AFTER_SECOND_CTRL_C)
                    interrupted_at = min(interrupted_at, time.monotonic())
                if os.name != "nt":  # there the console sends it to all processes
                    for process in running.values():
                        process.send_signal(number)
            for rank, process in list(running.items()):
                if (code := process.poll()) is not None:
                    del running[rank]
                    self._note_end(rank, code)
            if time.monotonic() > self.deadline:
                return
            time.sleep(POLL_SECONDS)

    def _note_end(self, rank: str, code: int) -> None:
        if code == 0:
            return
        if code < 0 and not self.received and not self.status:
            name = signal.Signals(-code).name
            print(f"rank {rank} was ended by signal {-code} ({name})", file=sys.stderr, flush=True)
        self.status = self.status or (code if code > 0 else 128 - code)
        stopped = code - 128 in self.received
        self._end_within(AFTER_STOP if stopped else AFTER_REPORT if code > 0 else AFTER_KILL)

    def _end_within(self, seconds: float) -> None:
        self.deadline = min(self.deadline, time.monotonic() + seconds)

    def _kill(self) -> None:
        """Kill the ranks that still run, with their workers."""
        for _, process in self.ranks:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    if os.name == "nt":
                        process.kill()
                    else:
                        os.killpg(process.pid, signal.SIGKILL)
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
