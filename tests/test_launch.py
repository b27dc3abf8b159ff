"""Where processes meet."""

import pytest

from openstl_ext.errors import ConfigError
from openstl_ext.launch import rendezvous


def test_one_node_finds_a_free_port() -> None:
    """If this fails, two jobs on one machine collide on port 29500."""
    assert "--rdzv-endpoint=localhost:0" in rendezvous("2", {})


@pytest.mark.parametrize("name", ["PORT", "MASTER_PORT"])
def test_a_port_of_the_user_is_honoured(name: str) -> None:
    """If this fails, a firewall's one open port cannot be used."""
    assert "--master-port=1234" in rendezvous("2", {name: "1234"})


def test_several_nodes_meet_where_they_are_told() -> None:
    """If this fails, a job on two machines waits for ever."""
    environ = {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "host-a"}
    options = rendezvous("8", environ)
    assert {"--nnodes=2", "--node-rank=1", "--master-addr=host-a", "--master-port=29500"} <= {
        *options
    }
    for missing in ("NODE_RANK", "MASTER_ADDR"):
        with pytest.raises(ConfigError, match="needs MASTER_ADDR"):
            rendezvous("8", {k: v for k, v in environ.items() if k != missing})


@pytest.mark.parametrize(("processes", "nodes"), [("two", "1"), ("0", "1"), ("", "1"), ("2", "x")])
def test_a_number_is_a_number(processes: str, nodes: str) -> None:
    """If this fails, swapped arguments (the config before the GPUs) end in a traceback."""
    with pytest.raises(ConfigError, match="is a number from 1"):
        rendezvous(processes, {"NNODES": nodes})
