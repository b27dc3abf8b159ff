"""Process groups, and threads per process."""

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
