"""Options of torchrun for one and several nodes."""

import pytest

from openstl_ext.errors import ConfigError
from openstl_ext.launch import rendezvous


def test_one_node_uses_a_free_port() -> None:
    """Two jobs on one machine would use the same port."""
    assert "--rdzv-endpoint=localhost:0" in rendezvous("2", {})


@pytest.mark.parametrize("name", ["PORT", "MASTER_PORT"])
def test_a_port_of_the_user_is_used(name: str) -> None:
    """The only open port of a firewall could not be used."""
    assert "--master-port=1234" in rendezvous("2", {name: "1234"})


def test_several_nodes_use_the_given_address() -> None:
    """A job on two machines would wait for ever."""
    environ = {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "host-a"}
    options = rendezvous("8", environ)
    assert {"--nnodes=2", "--node-rank=1", "--master-addr=host-a", "--master-port=29500"} <= {
        *options
    }
    for missing in ("NODE_RANK", "MASTER_ADDR"):
        with pytest.raises(ConfigError, match="needs MASTER_ADDR"):
            rendezvous("8", {k: v for k, v in environ.items() if k != missing})


@pytest.mark.parametrize(("processes", "nodes"), [("two", "1"), ("0", "1"), ("", "1"), ("2", "x")])
def test_a_number_of_processes_or_nodes_is_checked(processes: str, nodes: str) -> None:
    """Swapped arguments (the config before the GPUs) would end in a traceback."""
    with pytest.raises(ConfigError, match="is a number from 1"):
        rendezvous(processes, {"NNODES": nodes})
