"""Processes find each other, and share the machine."""

import pytest

from openstl_ext.engine import distributed
from openstl_ext.errors import ConfigError

SLURM = {
    "SLURM_PROCID": "3",
    "SLURM_NTASKS": "8",
    "SLURM_LOCALID": "1",
    "SLURM_NTASKS_PER_NODE": "2",
    "SLURM_JOB_ID": "70001",
    "SLURM_STEP_NODELIST": "gpu[03-05,07]",
}


def test_a_slurm_job_greets_its_first_node() -> None:
    """Else the ranks wait for each other until the timeout."""
    greeting = distributed.slurm_greeting(SLURM)
    assert greeting["MASTER_ADDR"] == "gpu03"
    assert greeting["MASTER_PORT"] == "30001"
    assert (greeting["RANK"], greeting["LOCAL_RANK"], greeting["WORLD_SIZE"]) == ("3", "1", "8")
    chosen = {**SLURM, "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "5"}
    assert distributed.slurm_greeting(chosen)["MASTER_ADDR"] == "10.0.0.1"


@pytest.mark.parametrize(
    ("nodes", "first"),
    [("a", "a"), ("a,b", "a"), ("n[7,9]", "n7"), ("gpu-x[010-020],c", "gpu-x010")],
)
def test_the_first_of_a_node_list_is_found(nodes: str, first: str) -> None:
    """Slurm abbreviates, and `scontrol` is not on every node."""
    assert distributed.first_node(nodes) == first


def test_a_launcher_that_did_not_launch_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else: KeyError 'RANK'."""
    for name in distributed.GREETINGS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="dist_train"):
        distributed.start("pytorch")
    with pytest.raises(ConfigError, match="slurm_train"):
        distributed.slurm_greeting({})


def test_cores_are_shared_unless_the_user_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes with all cores each are slower than one."""
    monkeypatch.setattr(distributed.os, "sched_getaffinity", lambda _: range(8), raising=False)
    assert distributed.fair_share({"LOCAL_WORLD_SIZE": "3"}) == 2
    assert distributed.fair_share({"LOCAL_WORLD_SIZE": "9"}) == 1
    chosen: list[int] = []
    monkeypatch.setattr(distributed.torch, "set_num_threads", chosen.append)
    distributed.share_threads({"OMP_NUM_THREADS": "3", "LOCAL_WORLD_SIZE": "2"})
    assert chosen == []
    # torchrun writes 1 where the user wrote nothing
    torchrun = {"OMP_NUM_THREADS": "1", "TORCHELASTIC_RUN_ID": "x", "LOCAL_WORLD_SIZE": "2"}
    distributed.share_threads(torchrun)
    distributed.share_threads({"LOCAL_WORLD_SIZE": "4"})
    assert chosen == [4, 2]
