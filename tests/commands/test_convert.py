"""The command convert."""

from pathlib import Path

import pytest
import torch

from openstl_ext import cli, interop
from openstl_ext.engine.checkpoint import load_weights, read
from openstl_ext.errors import CheckpointError
from openstl_ext.registry import METHODS

CONFIG = """
model = dict(
    type="DirectForecast",
    net=dict(
        type="SimVP",
        in_shape=(3, 1, 8, 8),
        spatial_channels={width},
        temporal_channels=6,
        num_spatial_blocks=2,
        num_temporal_blocks=2,
        mlp_ratio=2.0,
    ),
    loss=dict(type="L2"),
)
"""


def test_a_published_checkpoint_is_loaded_by_the_config_of_its_net(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A published model could not be compared, or its weights would be loaded by another net."""
    kwargs = {"in_shape": (3, 1, 8, 8), "hid_S": 4, "hid_T": 6, "N_S": 2, "N_T": 2, "mlp_ratio": 2}
    match = interop.adapter_of("openstl", "SimVP_Model", kwargs)
    state = match.net.state_dict()
    theirs, ours = tmp_path / "theirs.pth", tmp_path / "made" / "ours.pth"
    torch.save({name: state[key] for key, name in match.theirs.items()}, theirs)
    for width in (4, 6):
        (tmp_path / f"simvp_{width}.py").write_text(CONFIG.format(width=width))

    command = ("convert", str(theirs), str(ours), "--config")
    with pytest.raises(CheckpointError, match="wrong shape"):
        cli.call([*command, str(tmp_path / "simvp_6.py")])
    assert not ours.exists()

    cli.call([*command, str(tmp_path / "simvp_4.py")])
    assert "spatial_channels=4" in capsys.readouterr().out
    method = METHODS.build(
        {
            "type": "DirectForecast",
            "net": {"type": "SimVP", **match.arguments},
            "loss": {"type": "L2"},
        }
    )
    load_weights(method, read(ours)["state_dict"])
    torch.testing.assert_close(method.net.state_dict(), state)
