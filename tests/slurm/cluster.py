"""A Slurm of one node on loopback, in a folder of its own: munged, slurmctld and slurmd."""

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "sinfo", "srun")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
CONFIG = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
KillWait=30
SchedulerParameters=sched_interval=2,requeue_delay=1
NodeName=localhost NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=low Nodes=localhost Default=YES PriorityTier=1 PreemptMode=REQUEUE
PartitionName=high Nodes=localhost PriorityTier=2 PreemptMode=OFF
"""


def missing() -> str:
    """Return a sentence about the programs that are not installed; empty if all are."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if not absent:
        return ""
    return f"{', '.join(absent)} not found: install Slurm (apt-get install slurm-wlm munge)"


class Cluster:
    """The daemons of a cluster, and the commands of its users.

    Args:
        folder: Folder for its configuration, logs and state.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.daemons = folder, []
        self.environ = {**os.environ, "PATH": PATH, "SLURM_CONF": str(folder / "slurm.conf")}

    def __enter__(self) -> "Cluster":
        folder = self.folder
        for name in ("state", "spool"):
            (folder / name).mkdir()
        (folder / "munge.key").write_bytes(secrets.token_bytes(128))
        (folder / "munge.key").chmod(0o600)
        values = {"host": socket.gethostname().partition(".")[0], "user": getpass.getuser()}
        ports = {"ctld_port": free_port(), "slurmd_port": free_port()}
        (folder / "slurm.conf").write_text(CONFIG.format(folder=folder, **values, **ports))
        files = ("socket", "key-file", "pid-file", "log-file", "seed-file")
        places = [f"--{name}={folder}/munge.{name.removesuffix('-file')}" for name in files]
        try:
            self.start("munged", "--foreground", "--force", *places)
            self.wait("munge socket", lambda: (folder / "munge.socket").exists())
            self.start("slurmctld", "-D", "-c", "-f", str(folder / "slurm.conf"))
            self.start("slurmd", "-D", "-c", "-N", "localhost", "-f", str(folder / "slurm.conf"))
            self.wait("idle node", lambda: "idle" in self.run("sinfo", "-h", "-o", "%t"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.run("scancel", "--full", f"--user={getpass.getuser()}")
        with contextlib.suppress(AssertionError):
            self.wait("end of all jobs", lambda: not self.run("squeue", "--noheader"), 40)
        for process in reversed(self.daemons):
            process.terminate()
        for process in self.daemons:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def start(self, *command: str) -> None:
        """Start a daemon."""
        with (self.folder / f"{command[0]}.out").open("wb") as log:
            self.daemons.append(
                subprocess.Popen(command, env=self.environ, stdout=log, stderr=subprocess.STDOUT)
            )

    def run(self, *command: str, cwd: Path | None = None, **environ: str) -> str:
        """Return the output of a command, empty while the controller does not answer."""
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout if done.returncode == 0 else ""

    def wait(self, what: str, is_done: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for a condition."""
        end = time.monotonic() + seconds
        while not is_done():
            if time.monotonic() > end:
                raise AssertionError(f"no {what} after {seconds:g} s; see {self.folder}")
            time.sleep(0.2)

    def state(self, job: str) -> str:
        """Return the state of a job, such as ``RUNNING``."""
        return self.facts(job).get("JobState", "")

    def facts(self, job: str) -> dict[str, str]:
        """Return what ``scontrol`` prints of a job."""
        words = self.run("scontrol", "show", "job", job, "--oneliner").split()
        return dict(word.partition("=")[::2] for word in words)


def free_port() -> int:
    """Return a port of loopback that is not in use."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
