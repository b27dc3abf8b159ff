"""Recipes agree with the publications."""

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
PROTOCOL = ("val_fraction", "val_persons", "digit_range")
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
    "sensor_pairs/smarties_vit_b": 116_511_232,
    "sensor_pairs/smarties_vit_l": 335_066_880,
    "eurosat/smarties_vit_b_linear_probe": 88_563_456,
    "eurosat/smarties_vit_l_finetune": 306_988_032,
    "burn_scars/smarties_vit_b_upernet": 88_563_456 + 39_344_898,
}


@pytest.mark.parametrize("identity", SIZES)
def test_nets_have_their_published_size(identity: str) -> None:
    """A depth, a width or a patch size would differ from the paper."""
    # large nets are built without values; nets that read their weights are small
    with torch.device("meta" if SIZES[identity] > 25e6 else "cpu"):
        net = MODELS.build(load(ROOT / f"{identity}.py").model.net)
    assert count_parameters(net) == SIZES[identity]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_claimed_scores_are_measured(path: Path) -> None:
    """A published number would be in no column of the leaderboard."""
    cfg = load(path)
    measured = {METRICS.get(metric.type).name for metric in cfg.get("test_evaluator") or ()}
    assert set(cfg.source.claimed) <= measured


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_one_cycle_schedule_peaks_at_the_rate_of_the_optimiser(path: Path) -> None:
    """A recipe would train with another learning rate than its optimiser has."""
    cfg = load(path)
    for part in cfg.get("param_scheduler") or ():
        if part.type == "OneCycleLR" and "small" not in path.stem:
            assert part.eta_max == cfg.optim_wrapper.optimizer.lr


@pytest.mark.parametrize("path", UPSTREAM, ids=lambda p: p.stem)
def test_the_upstream_protocol_changes_only_the_protocol(path: Path) -> None:
    """A comparison of two protocols would compare two recipes."""
    ours, theirs = load(path.with_name(path.name.replace("_upstream_protocol", ""))), load(path)
    assert recipe(ours) == recipe(theirs)
    assert theirs.train_dataloader.drop_last
    assert not ours.train_dataloader.get("drop_last")
    training = theirs.train_dataloader.dataset
    protocol = {name: training[name] for name in PROTOCOL if name in training}
    assert protocol in ({"val_fraction": 0}, {"val_persons": ()}, {"digit_range": (0, 10_000)})


def recipe(cfg: Any) -> dict[str, Any]:
    """Return a config without its protocol, name and paths."""
    values = cfg.to_dict()
    for name in ("identity", "work_dir", "val_dataloader"):
        del values[name]
    del values["source"]["name"]
    values["train_dataloader"].pop("drop_last", None)
    for name in PROTOCOL:
        values["train_dataloader"]["dataset"].pop(name, None)
    # the claimed scores of ConvLSTM are those of an older cell
    values["model"]["net"].pop("cell", None)
    return values
