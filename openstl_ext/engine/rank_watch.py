"""Thread that ends a rank whose launcher has ended, or whose run waits for a rank that hangs."""

import json
import math
import os
import signal
import socket
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from torch.distributed import Store

from openstl_ext.errors import RankError

PERIOD_SECONDS = 0.5
LOST_SECONDS = 2.0
"""Silence after which a rank has ended, once a connection to it is broken."""
REPORT_SECONDS = 10.0
"""Time for one rank to report a hanging one, before each other rank does so itself."""

COLLECTIVES = ("torch/distributed/", "mmengine/dist/", "torch/nn/parallel/distributed.py")
BACKWARD = "torch/autograd/graph.py"
"""Innermost code of a rank that waits for others; DDP sums gradients during the backward pass."""

BROKEN = ("gloo", "nccl", "connection", "broken pipe", "socket", "store", "timed out")
"""Words in the errors of a collective operation whose peer is gone."""

ENDED_BY_WATCH = 1


class RankWatch(threading.Thread):
    """Report the place of this rank to the others, and end it when the run cannot go on.

    Each rank writes its iteration, and how long its main thread has been at one place in the code,
    to the store of the process group. Only a rank that does not move itself reads the reports of
    the others. A rank that waits for a slow one is not stopped: the limit applies to a rank that
    does not move and does not wait, or is silent.

    Args:
        store: A connection of its own; other users of a connection block it while they wait.
        rank: Rank of this process.
        world_size: Number of ranks.
        limit_seconds: Time without progress after which a rank hangs.

    Attributes:
        iteration: Iterations done, for the messages; set by the training loop.
    """

    def __init__(self, store: Store, *, rank: int, world_size: int, limit_seconds: float) -> None:
        super().__init__(name="rank watch", daemon=True)
        self.store, self.rank, self.world_size = store, rank, world_size
        self.limit = limit_seconds
        self.period = min(PERIOD_SECONDS, limit_seconds / 4)
        self.iteration = 0
        self._beat = 0
        self._parent, self._has_launcher = os.getppid(), True
        self._finished = threading.Event()
        self._moved_at = time.monotonic()
        self._answered_at = self._moved_at
        self._signature: Any = None
        self._seen: dict[int, tuple[dict[str, Any], float]] = {}
        self._named = False
        self._writing = threading.Lock()

    def run(self) -> None:
        if self.world_size > 1:
            # apart from this thread: a store whose process is suspended does not answer
            threading.Thread(target=self._exchange, name="rank reports", daemon=True).start()
        while not self._finished.wait(self.period):
            self._check_parent()
            self._observe()
            if self.world_size > 1 and self.idle_seconds > self.limit:
                self._check_ranks()

    def _exchange(self) -> None:
        """Write the report of this rank, and read those of the others while this rank waits."""
        while not self._finished.wait(self.period):
            try:
                self.write()
                if self.idle_seconds >= self.limit / 2:
                    self._read()
                self._answered_at = time.monotonic()
            except RuntimeError:  # the store is gone; the main thread meets the same
                continue

    def finish(self) -> None:
        """End the thread, and report to the others that this rank ends."""
        self._finished.set()
        if self.world_size > 1:
            try:
                self.write(ended=True)
            except RuntimeError:
                return

    @property
    def idle_seconds(self) -> float:
        return time.monotonic() - self._moved_at

    def _check_parent(self) -> None:
        """Send this process a SIGTERM when its launcher has ended: a training saves, then ends.

        A process that hangs does not react; it is ended.
        """
        if self._parent not in (1, os.getppid()):
            self._parent, self._has_launcher = 1, False
            os.write(2, b"the launcher has ended, so this process ends\n")
            os.kill(os.getpid(), signal.SIGTERM)
        if not self._has_launcher and self.idle_seconds > self.limit:
            os._exit(ENDED_BY_WATCH)

    def _observe(self) -> None:
        """Store when the main thread was at another place than before."""
        signature = (self.iteration, [(id(f.f_code), f.f_lasti) for f in main_frames()])
        if signature != self._signature:
            self._signature, self._moved_at = signature, time.monotonic()

    def write(self, *, ended: bool = False) -> None:
        """Write the report of this rank to the store."""
        self._beat += 1
        frames = main_frames()
        report = {
            "beat": self._beat,
            "ended": ended,
            "named": self._named,
            "iteration": self.iteration,
            "idle": self.idle_seconds,
            "waits": is_collective(frames),
            "place": place_of(frames),
            "process": f"process {os.getpid()} on {socket.gethostname()}",
        }
        with self._writing:
            self.store.set(f"rank {self.rank}", json.dumps(report))

    def _read(self) -> dict[int, tuple[dict[str, Any], float]]:
        """Return the last report of each rank, and for how many seconds it is known."""
        now = time.monotonic()
        for rank in range(self.world_size):
            key = f"rank {rank}"
            if rank == self.rank or not self.store.check([key]):
                continue
            report = json.loads(self.store.get(key))
            if rank not in self._seen or self._seen[rank][0]["beat"] != report["beat"]:
                self._seen[rank] = report, now
        return {rank: (report, now - since) for rank, (report, since) in self._seen.items()}

    def _check_ranks(self) -> None:
        """End this process if a rank hangs; the first rank that does not hang reports it.

        The others end after it: the error of a connection to a process that has ended would hide
        the report, and rank 0 holds the store.
        """
        now = time.monotonic()
        reports = {rank: (report, now - since) for rank, (report, since) in self._seen.items()}
        if any(report["named"] for report, _ in reports.values()):
            self._end()
        silent = {rank for rank, (_, age) in reports.items() if age > self.limit}
        if self.rank and now - self._answered_at > self.limit:
            silent = {0}  # it holds the store
            reports.setdefault(0, ({"process": "which does not answer"}, self.limit))
        own = {"idle": self.idle_seconds, "waits": is_collective(main_frames())}
        idle = {rank: r for rank, (r, _) in reports.items() if rank not in silent}
        idle = {rank: r for rank, r in {**idle, self.rank: own}.items() if r["idle"] > self.limit}
        hanging = silent | {rank for rank, report in idle.items() if not report["waits"]}
        if not hanging:
            if len(idle) < self.world_size:
                return
            hanging = set(idle)  # each waits for another
        reporters = sorted(set(range(self.world_size)) - hanging) or sorted(hanging)
        if self.rank == reporters[0] or self.idle_seconds > self.limit + REPORT_SECONDS:
            os.write(2, f"error: {self._description(sorted(hanging), reports)}\n".encode())
            self._end()

    def _end(self) -> NoReturn:
        """End this process once the others have had the time to read that a rank is named."""
        self._named = True
        time.sleep(LOST_SECONDS)
        os._exit(ENDED_BY_WATCH)

    def _description(self, hanging: list[int], reports: dict[int, Any]) -> str:
        if len(hanging) == self.world_size:
            what = "all ranks wait for each other"
        else:
            known = [f"{rank} ({reports[rank][0]['process']})" for rank in hanging]
            what = f"rank {' and rank '.join(known)} {'hang' if len(known) > 1 else 'hangs'}"
        where = [
            f"rank {rank}: iteration {report['iteration'] + 1}, {report['place']}"
            for rank, (report, _) in sorted(reports.items())
            if rank in hanging and "iteration" in report
        ]
        if len(hanging) == self.world_size or self.rank not in hanging:
            place = place_of(main_frames())
            where.append(f"rank {self.rank}: iteration {self.iteration + 1}, {place}")
        return (
            f"{what}: no progress for {self.limit:g} s ({'; '.join(sorted(where))}); the run ends; "
            "continue with --resume, and with a larger --rank-timeout if a step takes longer"
        )

    def lost_ranks(self) -> str:
        """Return which rank is gone, after an error of a collective operation."""
        first, self.limit = time.monotonic(), math.inf  # this rank no longer waits for others
        try:
            while time.monotonic() - first < 2 * LOST_SECONDS:
                reports = self._read()
                if self._named or any(report["named"] for report, _ in reports.values()):
                    self._end()  # a hanging rank is named already
                gone = [
                    (rank, report)
                    for rank, (report, age) in reports.items()
                    if report["ended"] or age > LOST_SECONDS
                ]
                if gone:
                    return " and ".join(
                        f"rank {rank} ({report['process']})" for rank, report in sorted(gone)
                    )
                time.sleep(self.period)
        except RuntimeError:
            return "rank 0, which holds the store of the process group,"
        return ""


_watch: RankWatch | None = None


def start_watch(store: Store, *, rank: int, world_size: int, limit_seconds: float) -> None:
    """Write the first report of this process, and start its thread.

    Raises:
        RuntimeError: If the store does not answer.
    """
    global _watch
    _watch = RankWatch(store, rank=rank, world_size=world_size, limit_seconds=limit_seconds)
    if world_size > 1:
        _watch.write()  # without it, a rank that is suspended at once would never count as silent
    _watch.start()


def stop_watch() -> None:
    """End the thread of this process, if there is one."""
    global _watch
    if _watch is not None:
        _watch.finish()
        _watch = None


def report_iteration(iteration: int) -> None:
    """Store the number of iterations done, for the messages about ranks."""
    if _watch is not None:
        _watch.iteration = iteration


@contextmanager
def lost_ranks_named() -> Iterator[None]:
    """Replace the error of a collective operation by one that names the rank that is gone.

    Raises:
        RankError: If another rank is gone.
    """
    try:
        yield
    except RuntimeError as error:
        text = str(error).lower()
        if _watch is None or _watch.world_size == 1 or not any(word in text for word in BROKEN):
            raise
        if not (who := _watch.lost_ranks()):
            raise
        raise RankError(
            f"{who} has ended, near iteration {_watch.iteration + 1}, so the run ends; continue "
            "with --resume"
        ) from None


def main_frames() -> list[FrameType]:
    """Return the frames of the main thread, the innermost first."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames


def is_collective(frames: list[FrameType]) -> bool:
    """Return whether a thread is in a collective operation, or in a backward pass."""
    files = [frame.f_code.co_filename.replace(os.sep, "/") for frame in frames[:8]]
    in_backward = any(file.endswith(BACKWARD) for file in files[:1])
    return in_backward or any(part in file for file in files for part in COLLECTIVES)


def place_of(frames: list[FrameType]) -> str:
    """Return the innermost place that is in no library: ``waves.py:12 in __getitem__``."""
    library = sysconfig.get_path("stdlib")
    own = [
        frame
        for frame in frames
        if "site-packages" not in (file := frame.f_code.co_filename)
        and not file.startswith((library, "<"))
    ]
    if not (chosen := own or frames):
        return "no place"
    code = chosen[0].f_code
    return f"{os.path.basename(code.co_filename)}:{chosen[0].f_lineno} in {code.co_name}"
