"""Mistakes in a config are found before anything is built."""

import copy
from typing import Any

import pytest
from mmengine.config import Config

from openstl_ext.engine.validate import validate
from openstl_ext.errors import ConfigError

DATASET = {"type": "Boiling", "root": "nowhere", "split": "test"}
VALID: dict[str, Any] = {
    "model": {
        "type": "DirectForecast",
        "net": {"type": "Persistence"},
        "loss": {"type": "Sum", "terms": [{"type": "L2"}, {"type": "L1"}]},
        "data_preprocessor": {"type": "SequencePreprocessor", "mean": 0.0},
    },
    "train_dataloader": {
        "batch_size": 2,
        "num_workers": 0,
        "dataset": DATASET,
        "sampler": {"type": "DefaultSampler", "shuffle": True},
        "collate_fn": {"type": "openstl_ext.collate"},
    },
    "train_cfg": {"by_epoch": True, "max_epochs": 1, "val_interval": 1},
    "optim_wrapper": {
        "type": "OptimWrapper",
        "optimizer": {"type": "Adam", "lr": 1e-3},
        "clip_grad": {"max_norm": 1.0},
        "accumulative_counts": 2,
    },
    "param_scheduler": [{"type": "OneCycleLR", "eta_max": 1e-3, "total_steps": 9}],
    "test_dataloader": {
        "batch_size": 2,
        "dataset": DATASET,
        "sampler": {"type": "DefaultSampler", "shuffle": False},
    },
    "test_cfg": {},
    "test_evaluator": [{"type": "mmengine.DumpResults", "out_file_path": "x.pkl"}],
    "default_hooks": {"logger": {"type": "LoggerHook", "interval": 50}, "timer": None},
    "custom_hooks": [{"type": "EMAHook", "momentum": 0.01, "priority": "NORMAL"}],
    "visualizer": {"type": "Visualizer", "vis_backends": [{"type": "JsonLinesTracker"}]},
    "log_processor": {"window_size": 5},
    "env_cfg": {"cudnn_benchmark": False},
    "randomness": {"deterministic": True},
    "model_wrapper_cfg": {"find_unused_parameters": True},
}  # fmt: skip


def broken(path: str, value: Any) -> Config:
    """Return the valid config with one value changed."""
    cfg: Any = copy.deepcopy(VALID)
    place = cfg
    *above, last = path.split(".")
    for part in above:
        place = place[int(part)] if part.isdigit() else place[part]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return Config(cfg)


def test_a_valid_config_passes_and_is_not_changed() -> None:
    """No run could start, or the check would change its config."""
    cfg = Config(copy.deepcopy(VALID))
    validate(cfg)
    assert cfg.to_dict() == Config(copy.deepcopy(VALID)).to_dict()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model.type", "DirectForcast", r"model: .* did you mean 'DirectForecast'"),
        ("model.nett", {}, r"model: DirectForecast takes no 'nett'; did you mean 'net'"),
        ("model.net.type", "Persistance", r"model\.net: .* did you mean 'Persistence'"),
        ("model.net.hidd", 3, r"model\.net: Persistence takes no 'hidd'"),
        ("model.loss.terms.1.type", "L3", r"model\.loss\.terms\.1: .*known are: .*L1, L2"),
        ("model.data_preprocessor.men", 0, r"model\.data_preprocessor: .*did you mean 'mean'"),
        ("train_dataloader.batchsize", 2, r"train_dataloader: a loader .*mean 'batch_size'"),
        ("train_dataloader.sampler.shufle", 1, r"train_dataloader\.sampler: .*mean 'shuffle'"),
        ("train_dataloader.collate_fn.type", "colate", r"train_dataloader\.collate_fn: "),
        ("test_dataloader.dataset.rot", "x", r"test_dataloader\.dataset: .*did you mean 'root'"),
        ("test_dataloader.dataset.type", "Boilng", r"test_dataloader\.dataset: .*mean 'Boiling'"),
        ("test_evaluator.0.type", "Nothing", r"test_evaluator\.0: 'Nothing' is not a registered"),
        ("test_evaluator.0.fle", "x", r"test_evaluator\.0: DumpResults takes no 'fle'"),
        ("test_evaluator", None, r"test_evaluator: missing, but needed with test_"),
        ("optim_wrapper.optimizer.lrr", 1, r"optim_wrapper\.optimizer: Adam takes no 'lrr'"),
        ("optim_wrapper.optimizer.type", "Adm", r"optim_wrapper\.optimizer: .*did you mean 'Adam'"),
        ("optim_wrapper.clipgrad", {}, r"optim_wrapper: .*did you mean 'clip_grad'"),
        ("param_scheduler.0.eta_maxx", 1, r"param_scheduler\.0: .*did you mean 'eta_max'"),
        ("default_hooks.logger.intervall", 1, r"default_hooks\.logger: .*mean 'interval'"),
        ("custom_hooks.0.type", "EMAHok", r"custom_hooks\.0: .*did you mean 'EMAHook'"),
        ("visualizer.vis_backends.0.type", "JsonTracker", r"visualizer\.vis_backends\.0: "),
        ("train_cfg.max_epoch", 1, r"train_cfg: .*did you mean 'max_epochs'"),
        ("test_cfg.fp61", 1, r"test_cfg: ExactTestLoop takes no 'fp61'"),
        ("env_cfg.cudnn_benchmrk", 1, r"env_cfg: .*did you mean 'cudnn_benchmark'"),
        ("log_processor.windowsize", 1, r"log_processor: .*did you mean 'window_size'"),
        ("randomness.deterministc", 1, r"randomness: .*did you mean 'deterministic'"),
        ("model_wrapper_cfg.find_unused", 1, r"model_wrapper_cfg: "),
        ("model", None, r"model: a config needs a model block"),
        ("seed", -3, r"seed: expected int >= 0, not -3"),
        ("train_cfg.max_epochs", 2.5, r"train_cfg\.max_epochs: expected int .* got float: 2\.5"),
        ("train_cfg.max_epochs", 0, r"train_cfg\.max_epochs: expected int >= 1, not 0"),
        ("train_cfg.max_epochs", None, r"train_cfg: max_epochs or max_iterations is missing; set"),
        ("train_cfg.max_iterations", 5, r"max_epochs=1 and max_iterations=5 exclude each other"),
        ("train_cfg.max_iters", 5, r"train_cfg: .*mean 'max_iterations'"),
        ("train_cfg.val_interval", 0, r"train_cfg\.val_interval: expected int >= 1, not 0"),
        ("optim_wrapper.optimizer.lr", -1, r"optimizer\.lr: expected float >= 0\.0, not -1"),
        ("test_dataloader.batch_size", 0, r"test_dataloader\.batch_size: expected int >= 1, not 0"),
        ("train_dataloader.num_workers", -1, r"num_workers: expected int >= 0, not -1"),
        ("log_level", "INFOO", r"log_level: there is no 'INFOO'; did you mean 'INFO'"),
    ],
)  # fmt: skip
def test_a_typo_is_found_and_its_place_named(path: str, value: Any, message: str) -> None:
    """A typo would be found hours later, or never."""
    with pytest.raises(ConfigError, match=message):
        validate(broken(path, value))


def test_all_typos_are_reported_together() -> None:
    """A user with three typos would need three runs to find them."""
    cfg = broken("model.nett", 1)
    cfg.test_dataloader.dataset.rot = "x"
    with pytest.raises(ConfigError) as caught:
        validate(cfg)
    assert len(str(caught.value).splitlines()) == 2


def test_a_default_hook_needs_no_type() -> None:
    """To change the log interval, the user would have to know the class of the hook."""
    validate(broken("default_hooks.logger", {"interval": 5}))
    with pytest.raises(ConfigError, match=r"default_hooks\.logger: LoggerHook takes no 'intervl'"):
        validate(broken("default_hooks.logger", {"intervl": 5}))
