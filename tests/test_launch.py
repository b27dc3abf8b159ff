"""Environment, signals and exit status of the processes of a run."""

import signal
import socket
import subprocess
import sys
import time

import pytest

from openstl_ext.errors import ConfigError
from openstl_ext.launch import forwarded, rendezvous, set_defaults


def test_one_node_uses_a_free_port() -> None:
    """Two jobs on one machine would use the same port."""
    options = rendezvous("2", {})
    assert options == ["--nproc-per-node=2", "--nnodes=1", "--standalone", "--local-addr=localhost"]


@pytest.mark.parametrize("name", ["PORT", "MASTER_PORT"])
def test_a_port_of_the_user_is_used(name: str) -> None:
    """The only open port of a firewall could not be used."""
    options = rendezvous("2", {name: "1234"})
    assert options[2:] == ["--node-rank=0", "--master-addr=localhost", "--master-port=1234"]


def test_several_nodes_use_the_given_address() -> None:
    """A job on two machines would wait for ever."""
    environ = {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "host-a"}
    options = rendezvous("2", environ)
    assert options[1:] == [
        "--nnodes=2",
        "--node-rank=1",
        "--master-addr=host-a",
        "--master-port=29500",
    ]
    for missing in ("NODE_RANK", "MASTER_ADDR"):
        with pytest.raises(ConfigError, match="needs MASTER_ADDR"):
            rendezvous("8", {k: v for k, v in environ.items() if k != missing})


def test_cores_are_divided_unless_the_user_has_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process would use all cores."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(8), raising=False)
    environ = {"MKL_NUM_THREADS": "3"}
    set_defaults(environ, processes=2)
    assert (environ["OMP_NUM_THREADS"], environ["MKL_NUM_THREADS"]) == ("4", "3")


def test_a_signal_that_is_ignored_is_not_forwarded() -> None:
    """A run under nohup would end with its terminal."""
    assert "SIGHUP" in forwarded().split(",")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert "SIGHUP" not in forwarded().split(",")
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("processes", ["two", "0", "", "-1", "1.5", "9" * 30])
def test_a_number_of_processes_is_checked(processes: str) -> None:
    """Swapped arguments (the config before the GPUs) would end in a traceback."""
    with pytest.raises(ConfigError, match="is a number from 1"):
        rendezvous(processes, {})


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
        rendezvous("2", {name: value})


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


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGUSR1,
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_signal_reaches_every_rank(number: int) -> None:
    """A preempted job would be killed without a save."""
    with launched(STOPPED) as process:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        text, _ = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert sorted(text.splitlines()) == [f"saved 0 {number:d}", f"saved 1 {number:d}"]


@pytest.mark.slow
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


def test_a_killed_rank_is_named_and_its_status_returned() -> None:
    """The user would search for the rank that failed; a script would take the run for finished."""
    script = "rank == '1' and os.kill(os.getpid(), 9)\ntime.sleep(3)\nsys.exit(rank == '0')"
    with launched(script) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 137
    assert errors == "rank 1 was ended by signal 9 (SIGKILL)\n"


@pytest.mark.slow
def test_ranks_are_ended_after_one_has_failed() -> None:
    """A rank that waits for the failed one would hold its GPU after the run."""
    script = "rank == '1' and sys.exit(7)\ntime.sleep(60)"
    begun = time.monotonic()
    with launched(script) as process:
        _, errors = process.communicate(timeout=50)
    assert (process.returncode, errors) == (7, "")
    assert time.monotonic() - begun < 30


@pytest.mark.slow
def test_a_port_in_use_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second job of a machine would end in a traceback of torch."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("MASTER_PORT", str(server.getsockname()[1]))
        with launched("") as process:
            _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.startswith("error: ")
    assert errors.endswith("MASTER_PORT to an address and a free port that all nodes reach\n")
    assert errors.count("\n") == 1
