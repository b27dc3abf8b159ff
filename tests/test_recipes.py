"""What the recipes of video forecasting say is what was published."""

from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext.config import load
from openstl_ext.profiling.report import count_parameters
from openstl_ext.registry import METRICS, MODELS

ROOT = Path(__file__).parents[1] / "configs"
CONFIGS = sorted(p for p in ROOT.rglob("*.py") if "_base_" not in p.relative_to(ROOT).parts)
UPSTREAM = [p for p in CONFIGS if p.stem.endswith("_upstream_protocol")]
SIZES = {
    "moving_mnist/vmrnn_d": 13_395_329,  # 15,267,201 upstream, 1,871,872 of them never used
    "moving_mnist/vmrnn_d_mse": 8_852_865,  # 9,674,113 and 821,248
    "taxibj/simvp_gsta": 9_961_058,  # 9.96 M published
    "taxibj/convlstm": 11_572_224,  # 14,980,096 and 3,407,872
    "taxibj/vmrnn_b": 2_218_114,  # 2,579,970 and 361,856
    "kth/simvp_gsta_10to20": 15_632_961,  # 15.6 M published
    "kth/convlstm_10to20": 11_520_512,  # 14.9 M published, 3.4 M of them never used
    "kth/vmrnn_b_10to20": 1_050_241,  # 1,214,721 and 164,480
    "kth/vmrnn_b_10to40": 1_050_241,
    "human_modification/convlstm": 10_449,
    "human_modification/quantile_convlstm": 809_876,
    "lts/st_mamba": 78_269_697,
    "lts/st_gru": 151_560_449,
    "lts/unet": 31_385_409 + 33 * 4 * 576,  # 576 more for each channel beyond the first frame
    "lts/unet_2plus1d": 11_076_993,
    "lts/convgru_unet": 28_138_561,
    "lts/convlstm_unet": 34_406_401,
}


@pytest.mark.parametrize("identity", SIZES)
def test_nets_have_their_published_size(identity: str) -> None:
    """If this fails, a depth, a width or a patch is another than in the paper."""
    # a hundred million weights need no numbers; nets that look at theirs are small
    with torch.device("meta" if SIZES[identity] > 25e6 else "cpu"):
        net = MODELS.build(load(ROOT / f"{identity}.py").model.net)
    assert count_parameters(net) == SIZES[identity]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_claims_are_of_scores_that_we_measure(path: Path) -> None:
    """If this fails, a published number stands in no column of the leaderboard."""
    cfg = load(path)
    measured = {METRICS.get(metric.type).name for metric in cfg.get("test_evaluator") or ()}
    assert set(cfg.source.claimed) <= measured


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_cycle_peaks_at_the_rate_of_the_optimiser(path: Path) -> None:
    """If this fails, a recipe says one learning rate and trains with another."""
    cfg = load(path)
    for part in cfg.get("param_scheduler") or ():
        if part.type == "OneCycleLR" and "small" not in path.stem:
            assert part.eta_max == cfg.optim_wrapper.optimizer.lr


@pytest.mark.parametrize("path", UPSTREAM, ids=lambda p: p.stem)
def test_the_upstream_protocol_changes_the_protocol_alone(path: Path) -> None:
    """If this fails, a table that is meant to be like for like compares two recipes."""
    ours = load(path.with_name(path.name.replace("_upstream_protocol", "")))
    assert recipe(ours) == recipe(load(path))
    assert load(path).train_dataloader.dataset.val_fraction == 0


def recipe(cfg: Any) -> dict[str, Any]:
    """A config without what the protocol decides, and what says where it lives."""
    values = cfg.to_dict()
    for name in ("identity", "work_dir", "val_dataloader"):
        del values[name]
    del values["source"]["name"]
    values["train_dataloader"]["dataset"].pop("val_fraction", None)
    # the claimed rows of ConvLSTM were made with an older cell
    values["model"]["net"].pop("cell", None)
    return values
