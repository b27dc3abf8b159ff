"""Arguments of a method that act in forecasts only, when a run is resumed."""

from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import build
from openstl_ext.errors import CheckpointError
from tests.engine import toy


@pytest.mark.parametrize("waits", [False, True])
def test_a_resume_compares_arguments_of_forecasts_only_where_they_decide_later_steps(
    tmp_path: Path, waits: bool
) -> None:
    """A run of an earlier version could not be resumed, or one would stop at another epoch."""
    net = {"type": "DenoisingUNet", "in_channels": 1, "num_inputs": 2, "num_targets": 2}
    model = {"type": "FlowForecast", "net": {**net, "widths": (4,)}, "num_steps": 1}
    stop = {"type": "EarlyStoppingHook", "monitor": "mse", "rule": "less", "patience": 9}
    options: dict[str, Any] = {
        "train_cfg.max_epochs": 2,
        "default_hooks.checkpoint": {"keep": 9},
        **({"custom_hooks": [stop]} if waits else {}),
    }
    few, more = (
        {**options, "model": {"_delete_": True, **model, "num_members": n}} for n in (2, 3)
    )
    build(toy.config(tmp_path / "run", **few)).train()
    saved = checkpoint.read(tmp_path / "run/checkpoints/epoch_1.pth")
    assert ("model.num_members" in saved["meta"]["plan"]) == waits
    saved["meta"]["plan"]["model.num_members"] = 2  # as earlier versions did
    torch.save(saved, tmp_path / "earlier.pth")
    build(toy.config(tmp_path / "same", resume=str(tmp_path / "earlier.pth"), **few)).train()
    other = build(toy.config(tmp_path / "more", resume=str(tmp_path / "earlier.pth"), **more))
    if waits:
        with pytest.raises(CheckpointError, match="num_members is 3, the checkpoint has 2"):
            other.train()
        return
    other.train()
    ends = [checkpoint.newest(tmp_path / name, print)[1] for name in ("run", "same", "more")]
    for name, weight in ends[0]["state_dict"].items():
        assert all(torch.equal(end["state_dict"][name], weight) for end in ends), name
