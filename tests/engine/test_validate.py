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
        ("train_dataloader.drop_last", "false", r"train_dataloader\.drop_last: expected bool"),
        ("test_dataloader.drop_last", True, r"every sample is evaluated"),
        ("train_dataloader.worker_init_fn", {"type": "os.system"}, r"worker_init_fn: 'os\.system'"),
        ("train_dataloader.batch_sampler", {"type": "A"}, r"the loops have their own"),
        ("train_dataloader.sampler", {"type": "InfiniteSampler"}, r"has no end of an epoch"),
        ("train_dataloader.prefetch_factor", 2, r"prefetch_factor: it needs workers"),
        ("train_cfg.type", "EpochBasedTrainLoop", r"does not resume exactly; use ExactTrain"),
        ("model.type", "SequencePreprocessor", r"model: SequencePreprocessor is no method"),
        ("model.net", {"arguments": 3}, r"model\.net: a model needs a `type`"),
        ("model.net", [], r"model\.net: expected dict, got list"),
        ("model.loss.terms", {"type": "L2"}, r"model\.loss\.terms: expected list, got dict"),
        ("test_evaluator.0.type", "L1", r"test_evaluator\.0: 'L1' is not a registered metric"),
        ("test_evaluator", [], r"test_evaluator: expected list of length >= 1"),
        ("param_scheduler.0.eta_max", -1, r"param_scheduler\.0\.eta_max: expected float > 0\.0"),
        ("param_scheduler.0.pct_start", 1.5, r"pct_start: expected float < 1\.0, not 1\.5"),
        ("optim_wrapper.clip_grad", {"max_nrm": 1}, r"no key 'max_nrm'; did you mean 'max_norm'"),
        ("optim_wrapper.clip_grad.max_norm", 0, r"clip_grad\.max_norm: expected float > 0\.0"),
        ("optim_wrapper.constructor", "os.system", r"optim_wrapper\.constructor: 'os\.system'"),
        ("optim_wrapper.paramwise_cfg", {"x": 1}, r"paramwise_cfg: there is no key 'x'"),
        ("custom_hooks.0.ema_type", "os.system", r"custom_hooks\.0: 'os\.system' is not"),
        ("custom_hooks.0.momentm", 1, r"custom_hooks\.0: .*did you mean 'momentum'"),
        ("custom_hooks.0.momentum", 5, r"custom_hooks\.0\.momentum: expected float <= 1\.0"),
        ("custom_hooks.0.priority", "NORML", r"priority: .*did you mean 'NORMAL'"),
        ("custom_hooks.0.priority", 101, r"priority: expected a name or 0 to 100, not 101"),
        ("default_hooks.result", None, r"there is no such default hook to remove"),
        ("default_hooks.logger", [], r"default_hooks\.logger: expected dict"),
        ("env_cfg.mp_cfg", {"mp_start_method": "x"}, r"mp_start_method: expected 'fork' or"),
        ("log_processor.custom_cfg", [{"data_src": "loss", "method_name": "x"}], r"'mean' or"),
        ("auto_scale_lr", {"enable": 1}, r"auto_scale_lr\.enable: expected bool, got int: 1"),
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
