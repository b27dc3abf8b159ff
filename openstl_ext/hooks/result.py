"""Write the record of a test run."""

import copy
import hashlib
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.device import get_device
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from numpy.lib.format import write_array
from numpy.typing import NDArray

import openstl_ext
from openstl_ext.atomic_io import atomic_file, sha256_of
from openstl_ext.engine.checkpoint import best, has_best, read_manifest
from openstl_ext.engine.evaluation import blocks_of
from openstl_ext.engine.fully_shard import is_divided
from openstl_ext.engine.logs import detail
from openstl_ext.engine.plan import data_facts, forecast_facts, training_facts
from openstl_ext.engine.pretrained import pretrained_file
from openstl_ext.engine.state import unwrap
from openstl_ext.engine.trained import DATA, Trained
from openstl_ext.errors import UserError
from openstl_ext.hooks.baselines import tallies_of
from openstl_ext.profiling.memory import peak_bytes, reset_peak
from openstl_ext.profiling.report import profile
from openstl_ext.registry import HOOKS, METHODS
from openstl_ext.results.kept_tallies import KeptTallies, TalliesAbout, tallies_file
from openstl_ext.results.protocol import Protocol, protocol_of, same_data
from openstl_ext.results.record import (
    Checkpoint,
    Record,
    Selection,
    TrainingTime,
    subject_of,
)
from openstl_ext.value_types import Count


@HOOKS.register_module()
class ResultHook(Hook):
    """Write ``result.json``, the only file that the leaderboard reads.

    The record of another checkpoint or protocol is kept. The new one is then written as
    ``result_<checkpoint>_<protocol>.json``, which the leaderboard reads too.

    Args:
        filename: Name within the work directory.
        batch_size: Batch size of the frames per second; the latency is that of one sample.

    Attributes:
        written: The record of the last test.

    Files:
        ``tallies.npz`` and ``tallies.<baseline>.npz`` beside the record; see ``KeptTallies``.
        ``metrics.npy`` beside the record: the scores as ``scores_array`` has them.
    """

    changes = "nothing"
    priority = "LOW"  # after all hooks that add to the test

    def __init__(self, *, filename: str = "result.json", batch_size: Count = 1) -> None:
        self.filename, self.batch_size = filename, batch_size
        self.written: Path | None = None
        self.peak_memory: int | None = None

    def before_test_epoch(self, runner: Runner) -> None:
        self.peak_memory = None
        # otherwise the peak may be that of the training
        self._is_peak_of_test = reset_peak(device_of(runner)) or not runner.iter

    def after_test_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if self._is_peak_of_test:
            self.peak_memory = peak_bytes(device_of(runner))

    @master_only
    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        method, tested = unwrap(runner.model), Tested.of(runner)
        metrics_used: list[Any] = runner.test_evaluator.metrics
        described = [m.describe() for m in metrics_used if hasattr(m, "describe")]
        record = Record(
            config=tested.config,
            name=str(tested.source.get("name") or tested.config),
            method=type(method).__name__,
            model=type(getattr(method, "net", method)).__name__,
            protocol=tested.protocol,
            metrics={name: float(value) for name, value in (metrics or {}).items()},
            about={name: facts for part in described for name, facts in part.items()},
            checkpoint=tested.checkpoint,
            seed=tested.seed,
            overrides=tested.overrides,
            training=tested.training,
            training_time=tested.training_time,
            source=tested.source,
            baselines=getattr(runner, "baselines", {}),
            baselines_left_out=getattr(runner, "baselines_left_out", {}),
            postprocessed=runner.test_loop.postprocessed,
            environment=environment(),
            date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            synthetic=bool(tested.protocol["metainfo"].get("synthetic", False)),
            peak_memory=self.peak_memory,
            selection=selection_of(runner.cfg),
            **self._costs(runner),
        )
        wanted = Path(runner.work_dir) / self.filename
        path = record.place(wanted)
        self._keep_tallies(runner, record, path)
        record.write(path)
        self.written = path
        with atomic_file(metrics_file(path)) as file:
            write_array(file, scores_array(record.metrics), allow_pickle=False)
        detail(runner.logger, f"wrote the result to {path}")
        if path != wanted:
            runner.logger.warning(f"{wanted} is kept: it is of another checkpoint or protocol")

    @staticmethod
    def _keep_tallies(runner: Runner, record: Record, path: Path) -> None:
        """Write what was measured of each sample, for the method and for each baseline."""
        dataset = runner.test_dataloader.dataset
        samples = [dataset.sample_id(index) for index in range(len(dataset))]
        blocks = blocks_of(dataset)
        found = {"": tallies_of(runner.test_evaluator.metrics)}
        found |= getattr(runner, "baseline_tallies", {})
        for baseline, tallies in found.items():
            about = TalliesAbout(
                fingerprint=record.protocol["fingerprint"],
                subject=record.subject,
                baseline=baseline,
                metrics=list(tallies),
                independent=blocks is None,
            )
            kept = KeptTallies(about, samples, blocks or samples, tallies)
            kept.write(tallies_file(path, baseline))

    def _costs(self, runner: Runner) -> dict[str, Any]:
        """Measure parameters, FLOPs and speed; the last two are left out if the profile fails."""
        method, item = unwrap(runner.model), runner.test_dataloader.dataset[0]
        if is_divided(runner.model):  # its parts cannot be copied, and costs need no weights
            method = METHODS.build(copy.deepcopy(runner.cfg.model)).to(get_device())
        target = item["data_samples"].get("frames")
        inputs = {name: value[None] for name, value in item["inputs"].items()}
        horizon = 1 if target is None else len(target)
        try:
            found = profile(method, inputs, horizon, batch_size=self.batch_size)
        except Exception as error:  # a failed profile must not lose the test
            runner.logger.warning(f"FLOPs and speed are unknown: {type(error).__name__}: {error}")
            return {"num_parameters": sum(p.numel() for p in method.parameters())}
        apart = {k: v for k, v in found.items() if k.startswith("flops_")}
        place = {name: found[name] for name in ("device", "dtype")}
        speed = {"value": found["frames_per_second"], "batch_size": found["batch_size"]}
        latency = {"value": found["latency"], "calls": found["latency_calls"]}
        return {
            **{name: found[name] for name in ("num_parameters", "flops", "uncounted")},
            "flops_apart": {name.removeprefix("flops_"): v for name, v in apart.items()},
            "frames_per_second": {**speed, **place},
            "latency": {**latency, **place},
        }


def device_of(runner: Runner) -> torch.device:
    """Return the device of the tested weights."""
    return next((weight.device for weight in runner.model.parameters()), torch.device("cpu"))


def metrics_file(record: Path) -> Path:
    """Return the array of scores beside a record: ``metrics.npy`` beside ``result.json``."""
    name = record.stem.removeprefix("result")
    return record.with_name(f"metrics{name}.npy" if name != record.stem else f"{name}_metrics.npy")


def scores_array(scores: Mapping[str, float | None]) -> NDArray[Any]:
    """Return scores as one value that ``numpy.load`` reads without unpickling code.

    It has a float64 field per score, so that ``numpy.load(path)["mse_sum"]`` is a number and
    ``dtype.names`` lists them. A score without a value is NaN.
    """
    values = tuple(math.nan if value is None else float(value) for value in scores.values())
    return np.array(values, dtype=np.dtype([(name, "f8") for name in scores]))


@dataclass(frozen=True, kw_only=True)
class Tested:
    """Weights and test of a run: what its record and its saved predictions are of.

    Args:
        config: Name of the config of the training.
        source: Its *source* block.
        overrides: See ``Record``.
        seed: Seed of the training; that of this run, if the weights have none.
        training: What decided the weights, the values of the method that act in its forecasts, and
            the neighbours of an encoder; where nothing is trained, what decides the method. None if
            the checkpoint does not state it.
        training_time: Time that they took to train, if the checkpoint states it.
        checkpoint: Evaluated weights; None if they are those of the moment.
        protocol: Protocol of the test.
    """

    config: str
    source: dict[str, Any]
    overrides: list[str]
    seed: int | None
    training: dict[str, Any] | None
    training_time: list[TrainingTime] | None
    checkpoint: Checkpoint | None
    protocol: Protocol

    @classmethod
    def of(cls, runner: Runner) -> "Tested":
        """Describe the test of a runner; what was trained counts, whatever the test was given."""
        cfg = runner.cfg
        config = str(cfg.get("identity") or Path(str(cfg.filename or "run")).stem)
        loaded = getattr(runner, "_load_from", None) or cfg.get("load_from")
        source, overrides = dict(cfg.get("source") or {}), list(cfg.get("overrides") or ())
        meta = getattr(runner, "trained", {})
        trained = Trained.of(meta)
        training = trained.plan | forecast_facts(cfg) if trained else untrained(cfg, loaded)
        if training is not None:
            training = training | runner.test_loop.facts()
        if trained is not None:
            overrides = trained.overrides_of(cfg, data_facts(runner.test_dataloader.dataset, DATA))
            if trained.identity != config:
                config, source = trained.identity, dict(trained.config.get("source") or {})
        return cls(
            config=config,
            source=source,
            overrides=overrides,
            seed=meta.get("plan", {}).get("seed", runner.seed),
            training=training,
            training_time=meta.get("training_time") if trained else None,
            checkpoint=checkpoint_of(loaded) if loaded else frozen_weights(cfg),
            protocol=protocol_of_test(runner),
        )

    @property
    def subject(self) -> tuple[str, str]:
        """Parts of the names of files of this test; see ``Record.subject``."""
        return subject_of(
            self.checkpoint,
            config=self.config,
            overrides=self.overrides,
            seed=self.seed,
            fingerprint=self.protocol["fingerprint"],
        )


def untrained(cfg: Any, loaded: str | None) -> dict[str, Any] | None:
    """Return what decides a method without training: its config; None if weights were loaded."""
    if loaded or cfg.get("train_dataloader") is not None:
        return None
    return training_facts(cfg) | forecast_facts(cfg)


def record_of_best(runner: Runner) -> Path | None:
    """Return the record of the test of a run's best checkpoint; None if it was not tested so.

    Args:
        runner: A run whose training is finished.
    """
    if not has_best(runner.work_dir):
        return None
    digest, fingerprint = sha256_of(best(runner.work_dir)), protocol_of_test(runner)["fingerprint"]
    for path in sorted(Path(runner.work_dir).glob("result*.json")):
        try:
            record = Record.read(path)
        except UserError:  # the leaderboard names it
            continue
        known = record.checkpoint is not None and record.checkpoint["sha256"] == digest
        if known and record.protocol["fingerprint"] == fingerprint:
            return path
    return None


def protocol_of_test(runner: Runner) -> Protocol:
    """Return the protocol of the test from its config and the built dataset."""
    dataset, cfg = runner.test_dataloader.dataset, runner.cfg
    item, size = dataset[0], len(dataset)
    return protocol_of(
        cfg.test_dataloader.dataset,
        _with_contents(cfg.test_evaluator, runner.test_evaluator.metrics),
        getattr(dataset, "metainfo", None),
        size=size,
        shapes={f"{side}.{k}": tuple(v.shape) for side in item for k, v in item[side].items()},
        sample_ids=[dataset.sample_id(index) for index in range(size)],
    )


def _with_contents(configs: Any, metrics: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the configs of metrics, with the checksum of a file in place of its name."""
    if isinstance(configs, Mapping) and "metrics" in configs:  # a config of the whole evaluator
        return [{**configs, "metrics": _with_contents(configs["metrics"], metrics)}]
    given = [configs] if isinstance(configs, Mapping) else list(configs)
    found = (m.contents() if hasattr(m, "contents") else {} for m in metrics)
    return [{**config, **contents} for config, contents in zip(given, found, strict=True)]


def checkpoint_of(path: str | None) -> Checkpoint | None:
    """Return the SHA-256 of the evaluated weights, and when they were saved, if it is listed."""
    if not path or not Path(path).is_file():
        return None
    digest = sha256_of(Path(path))
    try:
        entries = read_manifest(Path(path).parent)
    except UserError:  # loading the weights has warned of a damaged manifest
        entries = []
    entry = next((e for e in entries if e.sha256 == digest), None)
    return {
        "file": Path(path).name,
        "sha256": digest,
        "epoch": entry.epoch if entry else None,
        "iteration": entry.iteration if entry else None,
    }


def frozen_weights(cfg: Any) -> Checkpoint | None:
    """Return the weights that each ``PretrainedHook`` of a test without training loads."""
    hooks = [hook for hook in cfg.get("custom_hooks") or () if hook["type"] == "PretrainedHook"]
    if not hooks or cfg.get("train_dataloader") is not None:
        return None
    built: list[Any] = [HOOKS.build(hook) for hook in hooks]
    files = [pretrained_file(hook.checkpoint, cfg.get("seed")) for hook in built]
    found = [weights for file in files if (weights := checkpoint_of(str(file)))]
    if len(found) < 2:
        return found[0] if found else None
    loaded = list(zip(built, found, strict=True))
    lines = [f"{hook.part} {hook.prefix} {weights['sha256']}" for hook, weights in loaded]
    epochs, iterations = ({weights[key] for weights in found} for key in ("epoch", "iteration"))
    return {
        "file": " + ".join(weights["file"] for weights in found),
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "epoch": epochs.pop() if len(epochs) == 1 else None,
        "iteration": iterations.pop() if len(iterations) == 1 else None,
        "parts": [
            {"part": hook.part, "file": weights["file"], "sha256": weights["sha256"]}
            for hook, weights in loaded
        ],
    }


def selection_of(cfg: Any) -> Selection | None:
    """Return the data that selected the best checkpoint; None without validation."""
    loader: Mapping[str, Any] = cfg.get("val_dataloader") or {}
    if not (dataset := loader.get("dataset")):
        return None
    split = dataset.get("split")
    return {
        "split": None if split is None else str(split),
        "on_test": same_data(dataset, cfg.test_dataloader.dataset),
    }


def environment() -> dict[str, Any]:
    """Return versions and machine, as far as they can change a score."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return {
        "openstl_ext": openstl_ext.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "device": device,
        "threads": torch.get_num_threads(),
    }
