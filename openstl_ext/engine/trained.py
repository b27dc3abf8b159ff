"""Identity of the training that a checkpoint carries, and configs that repeat it."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import nn

from openstl_ext.engine import checkpoint as checkpoints
from openstl_ext.engine import plan
from openstl_ext.engine.converted_net import check_converted_net
from openstl_ext.engine.defaults import complete
from openstl_ext.engine.plan import Facts
from openstl_ext.errors import CheckpointError

DATA = "test_data"
"""Prefix of the facts of the test data."""
REMEDY = "use the config that trained it, as it is saved in its work directory"


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Training of the weights of a checkpoint.

    Args:
        identity: Name of the config.
        overrides: Entries of ``--cfg-options`` of the training.
        config: The merged config, plain values.
        plan: What decided the training; see ``engine.plan``.
        test: What decides the scores of its test.
    """

    identity: str
    overrides: tuple[str, ...]
    config: dict[str, Any]
    plan: Facts
    test: Facts

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> "Trained | None":
        """Return the training in the metadata of a checkpoint; None if they do not state it."""
        if not isinstance(meta.get("config"), dict):
            return None
        return cls(
            identity=meta["identity"],
            overrides=tuple(meta["overrides"]),
            config=meta["config"],
            plan=meta["plan"],
            test=meta["test"],
        )

    @property
    def channels(self) -> list[str]:
        """Channels of the training data with their units; empty if they are not known."""
        return list(self.plan.get("train_data.channels") or ())

    @property
    def seed(self) -> int:
        """Seed of the training."""
        return int(self.plan["seed"])

    def training_differences(self, cfg: Config) -> list[tuple[str, Any, Any]]:
        """Return the differences of a config in what decides the weights.

        Blocks that the config does not have, as in one for tests only, are not compared.
        """
        saved = plan.training_facts(complete(Config(copy.deepcopy(self.config))))
        now = plan.training_facts(complete(cfg))
        blocks = {key.partition(".")[0] for key in now}
        saved = {key: value for key, value in saved.items() if key.partition(".")[0] in blocks}
        return list(plan.differences(saved, now))

    def test_differences(self, cfg: Config, data: Facts) -> list[tuple[str, Any, Any]]:
        """Return the differences of a test from that of the training's config.

        Args:
            cfg: Config of the test.
            data: Facts of its data; those of the training if empty.
        """
        saved = plan.test_facts(complete(Config(copy.deepcopy(self.config))))
        own = {key: value for key, value in self.test.items() if key.startswith(f"{DATA}.")}
        return list(plan.differences(saved | own, plan.test_facts(complete(cfg)) | (data or own)))

    def overrides_of(self, cfg: Config, data: Facts) -> list[str]:
        """Return the overrides of the training, then how a test differs from that of its config."""
        changed = {key: value for key, _, value in self.test_differences(cfg, data)}
        if values := changed.pop(f"{DATA}.values", None):
            changed[f"{DATA}.values"] = plan.digest(values)
        return [*self.overrides, *(f"{key}={value}" for key, value in changed.items())]


def trained_of(checkpoint: Path | str) -> Trained | None:
    """Return the training that a checkpoint carries, None if it carries none.

    Raises:
        CheckpointError: If the checkpoint cannot be read.
    """
    return Trained.of(checkpoints.read(checkpoint).get("meta") or {})


def check_training(trained: Trained, cfg: Config, repeated: Config, *, name: str) -> None:
    """Check that a config is that of a training; data and metrics of the test may be stated anew.

    Args:
        trained: The training.
        cfg: Config of the test.
        repeated: The same config with the overrides of the training only.
        name: Checkpoint and config, for messages.

    Raises:
        CheckpointError: If model or training differ, or the test differs and was not stated.
    """
    if found := trained.training_differences(cfg):
        raise CheckpointError(f"cannot test {name}: {plan.shown(found)}; {REMEDY}")
    found = trained.test_differences(repeated, {}) if trained.test else []
    if found:
        raise CheckpointError(
            f"cannot test {name}: {plan.shown(found)}; restore the config, or state the other "
            "test with --cfg-options, which marks the record"
        )


def check_data(trained: Trained, runner: Any, own: Sequence[str]) -> None:
    """Check that the test data are those of the training's config, unless others are stated.

    Args:
        trained: The training.
        runner: The run, with its test loader built.
        own: Overrides of the test.

    Raises:
        CheckpointError: If the samples or their values differ.
    """
    if any(entry.lstrip("+").startswith(("test_dataloader", "seed")) for entry in own):
        return
    saved = {key: value for key, value in trained.test.items() if key.startswith(f"{DATA}.")}
    now = plan.data_facts(runner.test_dataloader.dataset, DATA)
    if found := list(plan.differences(saved, now)):
        raise CheckpointError(
            f"cannot test: {plan.shown(found)}; restore the test data, or state others with "
            "--cfg-options test_dataloader.dataset.root=FOLDER, which marks the record"
        )


def check_model(cfg: Config, checkpoint: Path | str, meta: Mapping[str, Any]) -> None:
    """Check that the model of a config is the one that was trained, where that is known.

    Raises:
        CheckpointError: If it differs; other weights of the same shapes would give another result.
    """
    trained = Trained.of(meta)
    found = trained.training_differences(Config({"model": cfg.model})) if trained else []
    if found := [difference for difference in found if difference[0].startswith("model.")]:
        raise CheckpointError(f"cannot use {checkpoint}: {plan.shown(found)}; {REMEDY}")


def load_trained_weights(method: nn.Module, cfg: Config, checkpoint: Path | str) -> Trained | None:
    """Load the weights of a checkpoint into the method of a config.

    Returns:
        Their training, if the checkpoint states it.

    Raises:
        CheckpointError: If it cannot be read, has other weights, or was trained or converted for
            another model.
    """
    saved = checkpoints.read_for(method, checkpoint)
    check_model(cfg, checkpoint, saved["meta"])
    check_converted_net(saved, cfg.model, checkpoint)
    checkpoints.load_weights(method, saved["state_dict"])
    return Trained.of(saved["meta"])
