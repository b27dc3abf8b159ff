"""The command export, and the command convert on its files."""

from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext import cli
from openstl_ext.api import load_model
from openstl_ext.engine.checkpoint import read
from openstl_ext.errors import CheckpointError, ConfigError, UserError
from openstl_ext.models.spectral_vit import SpectralViT
from openstl_ext.registry import METHODS

ENCODER = SpectralViT.toy_arguments()
CONFIG = """
model = dict(
    type="Classification",
    net=dict(type="SpectralViT", {net}),
    num_classes=3,
    standardises_features=True,
    frozen=True,
    loss=dict(type="CrossEntropy"),
)
"""


def write_config(path: Path, **changes: Any) -> str:
    net = ", ".join(f"{key}={value!r}" for key, value in {**ENCODER, **changes}.items())
    path.write_text(CONFIG.format(net=net))
    return str(path)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """Save a checkpoint of a linear probe."""
    torch.manual_seed(0)
    net = {"type": "SpectralViT", **ENCODER}
    block = {"type": "Classification", "net": net, "num_classes": 3, "frozen": True}
    method = METHODS.build(
        {**block, "standardises_features": True, "loss": {"type": "CrossEntropy"}}
    )
    torch.save({"state_dict": method.state_dict()}, tmp_path / "ours.pth")
    return tmp_path / "ours.pth"


def test_an_exported_checkpoint_is_converted_into_the_method_of_its_config(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Published weights could not be tested with the config that made them."""
    config = write_config(tmp_path / "probe.py")
    theirs, again = str(tmp_path / "out" / "theirs.safetensors"), str(tmp_path / "again.pth")
    cli.call(["export", config, str(trained), theirs])
    assert "weights" in capsys.readouterr().out
    cli.call(["convert", theirs, again, "--config", config])
    told = capsys.readouterr().out
    assert "type='Classification', num_classes=3" in told
    assert "num_heads=2" in told
    own = load_model(config, trained).state_dict()
    torch.testing.assert_close(load_model(config, again).state_dict(), own, rtol=0, atol=0)
    assert read(again)["meta"]["converted_from"]["class"] == "SmartiesVisionTransformer"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": 32}, r"theirs.safetensors is of a net with channels=16, but .* channels=32"),
        ({"depth": 2}, "net with depth=1, but the config has depth=2; use a config of these sizes"),
        ({"image_size": 32}, "net with image_size=16, but the config has image_size=32"),
        ({"num_heads": 4}, r"num_heads is 2 in .*theirs.safetensors, not 4|set model.net.num_hea"),
        ({"interpolation": "inverted"}, "set model.net.interpolation=linear"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_weights_of_another_size_than_the_config_are_one_sentence(
    changes: dict[str, Any], message: str, trained: Path, tmp_path: Path
) -> None:
    """A user would see names of weights, or get other features without a message."""
    theirs = str(tmp_path / "theirs.safetensors")
    cli.call(["export", write_config(tmp_path / "probe.py"), str(trained), theirs])
    other = write_config(tmp_path / "other.py", **changes)
    with pytest.raises(CheckpointError, match=message):
        cli.call(["convert", theirs, str(tmp_path / "again.pth"), "--config", other])
    assert not (tmp_path / "again.pth").exists()


def test_an_export_under_another_suffix_or_of_a_stated_contradiction_is_refused(
    trained: Path, tmp_path: Path
) -> None:
    """A file of one format would have the name of another."""
    config, theirs = write_config(tmp_path / "probe.py"), str(tmp_path / "theirs.safetensors")
    with pytest.raises(ConfigError, match=r"must end with \.safetensors"):
        cli.call(["export", config, str(trained), str(tmp_path / "theirs.pth")])
    cli.call(["export", config, str(trained), theirs])
    command = ["convert", theirs, str(tmp_path / "again.pth"), "--net"]
    with pytest.raises(UserError, match=r"num_heads is 2 in .*, not 4"):
        cli.call([*command, "num_heads=4"])
    with pytest.raises(UserError, match="patch_sise=4 is not used"):
        cli.call([*command, "patch_sise=4"])
