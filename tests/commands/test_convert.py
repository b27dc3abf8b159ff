"""The command convert."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from openstl_ext import cli, interop
from openstl_ext.api import load_model
from openstl_ext.config import load
from openstl_ext.engine.checkpoint import load_weights, read
from openstl_ext.engine.pretrained import PretrainedHook
from openstl_ext.errors import CheckpointError, UserError
from openstl_ext.prediction.predictor import Predictor
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


LSTM = """
model = dict(
    type="RecurrentForecast",
    net=dict(type="ConvLSTM", in_channels=2, hidden=(4,), kernel_size=3, patch_size=2{cell}),
    teacher_forcing=dict(type="FreeRunning"),
    loss=dict(type="L2"),
)
"""


@pytest.fixture
def lstm(tmp_path: Path) -> Path:
    """Save bare weights of a ConvLSTM, and configs of both cells; return the file."""
    configs = {"in_shape": [2, 2, 8, 8], "filter_size": 3, "patch_size": 2}
    match = interop.adapter_of("openstl", "ConvLSTM_Model", {"num_hidden": [4], "configs": configs})
    torch.save(match.split(match.net.state_dict()), tmp_path / "lstm.pth")
    (tmp_path / "new.py").write_text(LSTM.format(cell=""))
    (tmp_path / "old.py").write_text(LSTM.format(cell=', cell="published_tables"'))
    return tmp_path / "lstm.pth"


def test_a_cell_is_demanded_and_compared_with_that_of_the_config(lstm: Path) -> None:
    """Published weights would be tested with another cell, without a message."""
    out, new, old = (str(lstm.with_name(name)) for name in ("ours.pth", "new.py", "old.py"))
    command = ["convert", str(lstm), out]
    for options, message in (
        (["--config", old], "--cell"),
        (["--config", new, "--cell", "published_tables"], "config has cell='corrected'"),
        (["--net", "patch_size=2"], "--cell"),
        (["--cell", "corrected"], "patch_size"),
        (["--cell", "corrected", "--net", "patch_sise=2"], "patch_size"),
        (["--cell", "corrected", "--net", "patch_size=2", "heads=8"], "heads=8 is not used"),
        (["--cell", "corrected", "--net", "patch_size=2", "in_channels=7"], "in_channels is 2"),
        (["--cell", "corrected", "--net", "patch_size"], "NAME=VALUE"),
    ):
        with pytest.raises(UserError, match=message):
            cli.call([*command, *options])
        assert not Path(out).exists()
    cli.call([*command, "--config", old, "--cell", "published_tables"])
    cli.call([*command, "--net", "patch_size=2", "--cell", "published_tables"])
    assert load_model(old, out).net.cells[0].output == "published_tables"
    with pytest.raises(CheckpointError, match="converted for a net with cell='published_tables'"):
        load_model(new, out)
    with pytest.raises(CheckpointError, match="converted for a net with cell='published_tables'"):
        Predictor.load(load(new), out)
    start = PretrainedHook(checkpoint=out)
    runner = SimpleNamespace(loads_whole=False, seed=0, model=load_model(old, out), cfg=load(new))
    with pytest.raises(CheckpointError, match="converted for a net with cell='published_tables'"):
        start.before_run(runner)
