"""The tool around interop."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

from openstl_ext import interop
from openstl_ext.engine.checkpoint import load_weights, read
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


def tool() -> ModuleType:
    """The script as a module; tools are no package."""
    path = Path(__file__).parents[2] / "tools" / "convert_checkpoint.py"
    spec = importlib.util.spec_from_file_location("convert_checkpoint", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_published_checkpoint_is_loaded_by_the_config_of_its_net(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The way from somebody's file to a row in our table; and a config of another net is told."""
    kwargs = {"in_shape": (3, 1, 8, 8), "hid_S": 4, "hid_T": 6, "N_S": 2, "N_T": 2, "mlp_ratio": 2}
    match = interop.adapter_of("openstl", "SimVP_Model", kwargs)
    state = match.net.state_dict()
    theirs, ours = tmp_path / "theirs.pth", tmp_path / "made" / "ours.pth"
    torch.save({name: state[key] for key, name in match.theirs.items()}, theirs)
    for width in (4, 6):
        (tmp_path / f"simvp_{width}.py").write_text(CONFIG.format(width=width))

    main = tool().main
    assert main([str(theirs), str(ours), "--config", str(tmp_path / "simvp_6.py")]) == 1
    assert "wrong shape" in capsys.readouterr().err
    assert not ours.exists()

    assert main([str(theirs), str(ours), "--config", str(tmp_path / "simvp_4.py")]) == 0
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
