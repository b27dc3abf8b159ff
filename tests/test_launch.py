"""Environment, signals and exit status of the processes of a run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from openstl_ext.errors import ConfigError
from openstl_ext.launch import environments


def test_one_node_uses_a_free_port() -> None:
    """Two jobs on one machine would use the same port."""
    ports = {environments("2", {})[0]["MASTER_PORT"] for _ in range(3)}
    assert len(ports) > 1


@pytest.mark.parametrize("name", ["PORT", "MASTER_PORT"])
def test_a_port_of_the_user_is_used(name: str) -> None:
    """The only open port of a firewall could not be used."""
    assert {e["MASTER_PORT"] for e in environments("2", {name: "1234"})} == {"1234"}


def test_several_nodes_use_the_given_address_and_number_their_ranks() -> None:
    """A job on two machines would wait for ever."""
    environ = {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "host-a"}
    ranks = environments("2", environ)
    assert [(e["RANK"], e["LOCAL_RANK"], e["WORLD_SIZE"]) for e in ranks] == [
        ("2", "0", "4"),
        ("3", "1", "4"),
    ]
    assert {(e["MASTER_ADDR"], e["MASTER_PORT"]) for e in ranks} == {("host-a", "29500")}
    for missing in ("NODE_RANK", "MASTER_ADDR"):
        with pytest.raises(ConfigError, match="needs MASTER_ADDR"):
            environments("8", {k: v for k, v in environ.items() if k != missing})


@pytest.mark.parametrize("processes", ["two", "0", "", "-1", "1.5", "9" * 30])
def test_a_number_of_processes_is_checked(processes: str) -> None:
    """Swapped arguments (the config before the GPUs) would end in a traceback."""
    with pytest.raises(ConfigError, match="is a number from 1"):
        environments(processes, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NNODES", "x"),
        ("NNODES", "0"),
        ("NODE_RANK", "1"),
        ("MASTER_PORT", "70000"),
        ("MASTER_PORT", "http"),
        ("PORT", "-5"),
    ],
)
def test_a_variable_that_is_no_valid_number_is_named(name: str, value: str) -> None:
    """The user would see a traceback of int() without the name of the variable."""
    with pytest.raises(ConfigError, match=f"variable {name} is '{value}'"):
        environments("2", {name: value})


def launched(script: str, *, ranks: int = 2) -> subprocess.Popen[str]:
    """Start a script under the launcher; each rank prints its number when it is ready."""
    text = f"import os, signal, sys, time; rank = os.environ['RANK']\n{script}"
    return subprocess.Popen(
        [sys.executable, "-m", "openstl_ext.launch", str(ranks), "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


STOPPED = """
def stop(number, _):
    os.write(1, f"saved {rank} {int(number)}\\n".encode())
    sys.exit(128 + number)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, stop)
os.write(1, b"ready\\n")
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_reaches_every_rank(number: int) -> None:
    """A preempted job would be killed without a save."""
    with launched(STOPPED) as process:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        text, _ = process.communicate(timeout=10)
    assert process.returncode == 128 + number
    assert sorted(text.splitlines()) == [f"saved 0 {number:d}", f"saved 1 {number:d}"]


def test_a_second_ctrl_c_ends_ranks_that_do_not_react() -> None:
    """A run that hangs could not be ended from its terminal."""
    script = "signal.signal(2, signal.SIG_IGN); os.write(1, b'ready\\n'); time.sleep(60)"
    with launched(script) as process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        time.sleep(0.7)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
    assert time.monotonic() - begun < 5


def test_a_killed_rank_is_named_and_its_status_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user would search for the rank that failed; a script would take the run for finished."""
    script = "rank == '1' and os.kill(os.getpid(), 9)\ntime.sleep(0.5)\nsys.exit(rank == '0')"
    with launched(script) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 137
    assert "rank 1 was ended by signal 9 (SIGKILL)" in errors


def test_ranks_are_ended_after_one_has_failed(tmp_path: Path) -> None:
    """A stopped or hanging rank would hold its GPU after the run."""
    pid = tmp_path / "pid"
    script = f"""
if rank == '0':
    open({str(pid)!r}, 'w').write(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)
while not (os.path.exists({str(pid)!r}) and open({str(pid)!r}).read()): time.sleep(0.02)
sys.exit(7)
"""
    with launched(script) as process:
        process.wait(timeout=20)
    assert process.returncode == 7
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
