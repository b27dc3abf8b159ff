"""Run scenarios in processes that may be killed: a line of JSON in, a line of exit codes out.

torch is imported once; each stage is a fork, or one fork per rank. A scenario is a list of stages
in one work directory. A stage has ``options`` (dotted keys for ``toy.config``), ``ranks``, ``test``
if it is one, and how it ends: ``delay`` (SIGKILL from outside after that many seconds) or ``fault``
(``[call, n, what]``: at the n-th ``fsync`` of a checkpoint, or while the n-th file is ``write``n,
``kill`` or ``full``). ``plugins`` are files whose classes are registered first.
"""

import contextlib
import errno
import json
import multiprocessing
import os
import runpy
import signal
import socket
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import torch
import toy
import toy_sites  # noqa: F401  # registers

from openstl_ext import atomic_io as atomic
from openstl_ext.engine import runner


def inject(call: str, nth: int, what: str) -> None:
    """Make the n-th fsync of this process fail, or the third write to its n-th file."""
    count = 0
    original_fsync, original_write = os.fsync, atomic.HashingFile.write

    def fail() -> None:
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(errno.ENOSPC, "No space left on device")

    def fsync(handle: int) -> None:
        nonlocal count
        count += "checkpoints" in os.readlink(f"/proc/self/fd/{handle}")
        if count == nth:
            fail()
        original_fsync(handle)

    def write(file: atomic.HashingFile, data: bytes) -> int:
        nonlocal count
        count += not file.file.tell()
        if count == nth and file.file.tell() > 1000:
            fail()
        return original_write(file, data)

    if call == "fsync":
        os.fsync = fsync
    else:
        atomic.HashingFile.write = write


def run_stage(work_dir: str, stage: dict[str, Any]) -> None:
    """Run one stage in this process."""
    options = dict(stage.get("options", {}))
    if stage.get("ranks", 1) > 1:
        options["launcher"] = "pytorch"
    for plugin in stage.get("plugins", ()):
        runpy.run_path(plugin)
    if fault := stage.get("fault"):
        inject(*fault)
    run = runner.build(toy.config(work_dir, **options))
    scores = run.test() if stage.get("test") else run.train() and None
    if run.rank == 0 and stage.get("test"):
        text = json.dumps({k: v.hex() for k, v in scores.items()})
        Path(work_dir, f"scores_{run.world_size}.json").write_text(text)


def fork(work_dir: str, stage: dict[str, Any], rank: int, port: int) -> int:
    """Start one rank of a stage, with its output in a file."""
    if pid := os.fork():
        return pid
    with Path(f"{work_dir}.log").open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    world = {"RANK": rank, "LOCAL_RANK": rank, "MASTER_PORT": port, "WORLD_SIZE": stage["ranks"]}
    os.environ.update({k: str(v) for k, v in world.items()}, MASTER_ADDR="127.0.0.1")
    code = 1
    try:
        run_stage(work_dir, stage)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        if left := multiprocessing.active_children():  # `_exit` does not wait for them, Python does
            print(f"workers outlive the run: {left}", file=sys.stderr)
            code = 1
        sys.stderr.flush()
        os._exit(code)


def finish(pids: list[int], deadline: float) -> list[int]:
    """Wait for all ranks; after one fails, or at the deadline, the others are killed."""
    codes: dict[int, int] = {}
    while len(codes) < len(pids):
        for pid in set(pids) - set(codes):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                codes[pid] = os.waitstatus_to_exitcode(status)
        if any(codes.values()):
            deadline = min(deadline, time.monotonic() + 3)
        if time.monotonic() > deadline:
            for pid in set(pids) - set(codes):
                os.kill(pid, signal.SIGKILL)
                codes[pid] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        time.sleep(0.005)
    return [codes[pid] for pid in pids]


def free_port() -> int:
    """Return a port that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main() -> None:
    torch.set_num_threads(1)  # a pool of threads does not survive a fork
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        # import what a run imports late, once for all forks
        runner.build(toy.config(folder, **{"train_cfg.max_epochs": 1})).train()
    print("ready", flush=True)
    for line in sys.stdin:
        codes = {}
        for work_dir, stages in json.loads(line).items():
            codes[work_dir] = [run_ranks(work_dir, {"ranks": 1, **stage}) for stage in stages]
        print(json.dumps(codes), flush=True)


def run_ranks(work_dir: str, stage: dict[str, Any]) -> list[int]:
    """Return the exit codes of the ranks of one stage."""
    port = free_port()
    pids = [fork(work_dir, stage, rank, port) for rank in range(stage["ranks"])]
    return finish(pids, time.monotonic() + stage.get("delay", 60))


if __name__ == "__main__":
    main()
