"""Process groups, and threads per process."""

import socket

import pytest

from openstl_ext.engine import distributed, rank_agreement
from openstl_ext.errors import ConfigError, RankError

SLURM = {
    "SLURM_PROCID": "3",
    "SLURM_NTASKS": "8",
    "SLURM_LOCALID": "1",
    "SLURM_NTASKS_PER_NODE": "2",
    "SLURM_JOB_ID": "70001",
    "SLURM_STEP_NODELIST": "gpu[03-05,07]",
}


def test_the_variables_of_slurm_become_those_of_torchrun() -> None:
    """The ranks would wait for each other until the timeout."""
    variables = distributed.variables_from_slurm(SLURM)
    assert variables["MASTER_ADDR"] == "gpu03"
    assert variables["MASTER_PORT"] == "30001"
    assert (variables["RANK"], variables["LOCAL_RANK"], variables["WORLD_SIZE"]) == ("3", "1", "8")
    chosen = {**SLURM, "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "5"}
    assert distributed.variables_from_slurm(chosen)["MASTER_ADDR"] == "10.0.0.1"


@pytest.mark.parametrize(
    ("nodes", "first"),
    [("a", "a"), ("a,b", "a"), ("n[7,9]", "n7"), ("gpu-x[010-020],c", "gpu-x010")],
)
def test_the_first_of_a_node_list_is_found(nodes: str, first: str) -> None:
    """A job on several nodes could not start where `scontrol` is missing."""
    assert distributed.first_node(nodes) == first


def test_missing_variables_are_an_error_with_the_launch_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The user would see KeyError: 'RANK'."""
    for name in distributed.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="dist_train"):
        distributed.start("pytorch")
    with pytest.raises(ConfigError, match="slurm_train"):
        distributed.variables_from_slurm({})


def test_cores_are_divided_unless_the_user_has_set_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes with all cores each would be slower than one."""
    monkeypatch.setattr(distributed.os, "sched_getaffinity", lambda _: range(8), raising=False)
    assert distributed.fair_share({"LOCAL_WORLD_SIZE": "3"}) == 2
    assert distributed.fair_share({"LOCAL_WORLD_SIZE": "9"}) == 1
    chosen: list[int] = []
    monkeypatch.setattr(distributed.torch, "set_num_threads", chosen.append)
    distributed.share_threads({"OMP_NUM_THREADS": "3", "LOCAL_WORLD_SIZE": "2"})
    assert chosen == []
    # torchrun sets 1 if the user has set nothing
    torchrun = {"OMP_NUM_THREADS": "1", "TORCHELASTIC_RUN_ID": "x", "LOCAL_WORLD_SIZE": "2"}
    distributed.share_threads(torchrun)
    distributed.share_threads({"LOCAL_WORLD_SIZE": "4"})
    assert chosen == [4, 2]


TORCHRUN = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_PORT": "29500"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RANK", "2"),
        ("RANK", "one"),
        ("RANK", "-1"),
        ("WORLD_SIZE", "0"),
        ("WORLD_SIZE", "2.0"),
        ("LOCAL_RANK", "7"),
        ("MASTER_PORT", "http"),
        ("MASTER_PORT", "0"),
        ("MASTER_PORT", "65536"),
    ],
)
def test_a_variable_of_the_launcher_that_is_not_valid_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user would see a traceback of int(), or the ranks would wait for each other."""
    for key, text in {**TORCHRUN, "MASTER_ADDR": "127.0.0.1", name: value}.items():
        monkeypatch.setenv(key, text)
    with pytest.raises(ConfigError, match=f"variable {name} is '{value}'"):
        distributed.start("pytorch")


@pytest.mark.parametrize("name", ["SLURM_JOB_ID", "LOCAL_WORLD_SIZE"])
def test_other_variables_that_are_no_numbers_are_named(name: str) -> None:
    """The user would see a traceback of int()."""
    read = {"SLURM_JOB_ID": distributed.variables_from_slurm}.get(name, distributed.fair_share)
    with pytest.raises(ConfigError, match=f"variable {name} is 'abc'"):
        read({**SLURM, name: "abc"})


@pytest.mark.slow
def test_ranks_that_do_not_start_are_an_error_with_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rank would wait half an hour for one that was not started, and end in a traceback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environ = {**TORCHRUN, "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for key, text in environ.items():
        monkeypatch.setenv(key, text)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with pytest.raises(RankError, match=rf"not all of 2 processes have reached 127.0.0.1:{port}"):
        distributed.start("pytorch", timeout_seconds=1)


@pytest.mark.parametrize("seconds", [0, -1, "fast", True, float("nan")])
def test_the_limit_of_a_rank_is_a_positive_number(seconds: object) -> None:
    """A run would end at once, or never."""
    with pytest.raises(ConfigError, match="must be a positive number of seconds"):
        distributed.rank_timeout({"env_cfg": {"dist_cfg": {"timeout": seconds}}})


def test_the_rank_that_differs_from_most_is_named() -> None:
    """The user would replace the GPU that works."""
    good, bad = {"a": b"1", "b": b"2"}, {"a": b"1", "b": b"3"}
    assert rank_agreement.difference([good, good, good]) == ""
    assert "rank 0 differs from rank 1 in b" in rank_agreement.difference([bad, good, good])
    assert "rank 1 and rank 3 differ from rank 0 in b" in rank_agreement.difference(
        [good, bad, good, bad, good]
    )
