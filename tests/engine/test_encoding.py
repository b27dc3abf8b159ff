"""Evaluation of encoders: nearest neighbours, linear probes and their cached features."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config

from openstl_ext.engine.manifest import read_manifest, write_manifest
from openstl_ext.engine.runner import build
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import CheckpointError, ConfigError
from openstl_ext.models.spectral_vit import SpectralViT
from tests.engine.toy_scenes import ToyScenes

VIT = {**SpectralViT.toy_arguments(), "image_size": 8}
NEIGHBOURS = {
    "type": "NearestNeighbours",
    "net": {"type": "SpectralViT", **VIT},
    "num_classes": 2,
    "k": 5,
}
PROBE = {
    "type": "Classification",
    "net": {"type": "SpectralViT", **VIT},
    "num_classes": 2,
    "loss": {"type": "CrossEntropy"},
    "frozen": True,
    "standardises_features": True,
}
PRETRAINING = {
    "type": "MaskedAutoencoding",
    "net": {
        "type": "SpectralAutoencoder",
        "encoder": VIT,
        **{"decoder_channels": 16, "decoder_depth": 1, "decoder_num_heads": 2},
    },
    "mask_ratio": 0.5,
}
ACCURACY = [{"type": "OverallAccuracy", "classes": ToyScenes.metainfo.classes}]


def scenes(split: str, **arguments: Any) -> dict[str, Any]:
    """Return the loader of a split."""
    return {"batch_size": 4, "dataset": {"type": "ToyScenes", "split": split, **arguments}}


def config(work_dir: Path, model: dict[str, Any], **options: Any) -> Config:
    return Config(
        {
            "custom_imports": {"imports": ["tests.engine.toy_scenes"]},
            "work_dir": str(work_dir),
            "model": model,
            "train_dataloader": scenes("train"),
            "val_dataloader": scenes("val"),
            "val_evaluator": ACCURACY,
            "train_cfg": {"max_epochs": 3},
            "optim_wrapper": {"optimizer": {"type": "AdamW", "lr": 1e-2}},
            "log_level": "WARNING",
            **options,
        }
    )


def weights_after(cfg: Config) -> dict[str, torch.Tensor]:
    runner = build(cfg)
    runner.train()
    return {k: v.clone() for k, v in unwrap(runner.model).state_dict().items()}


def test_nearest_neighbours_are_tested_without_training(tmp_path: Path) -> None:
    """A table could have no row of k-NN."""
    none = dict.fromkeys(("train_dataloader", "train_cfg", "optim_wrapper"))
    none |= dict.fromkeys(("val_dataloader", "val_evaluator"))
    cfg = config(
        tmp_path, NEIGHBOURS, test_dataloader=scenes("test"), test_evaluator=ACCURACY, **none
    )
    cfg.test_cfg = {"type": "NeighbourTestLoop", "bank": scenes("train")["dataset"]}
    cfg.custom_hooks = [{"type": "ResultHook"}]
    build(cfg, train=False).test()
    record = json.loads((tmp_path / "result.json").read_text())
    assert record["method"] == "NearestNeighbours"
    assert record["metrics"]["overall_accuracy"] >= 0.5
    assert record["flops"] > 0
    # nothing is trained, so the row is not one of unknown training
    assert record["training"]["model.k"] == 5
    # with another bank, it would be another seed of the same row
    facts = {k: v for k, v in record["training"].items() if k.startswith("neighbours.")}
    assert (facts["neighbours.k"], facts["neighbours.temperature"]) == (5, 0.07)
    assert facts["neighbours.samples"] == 16
    assert facts["neighbours.values"]


def test_the_bank_has_some_samples_of_each_class(tmp_path: Path) -> None:
    """Scores of few labels would be those of all, or of one class only."""
    cfg = config(tmp_path, {**NEIGHBOURS, "k": 2}, test_dataloader=scenes("test"))
    cfg.test_evaluator = ACCURACY
    cfg.test_cfg = {"type": "NeighbourTestLoop", "per_class": 2}
    runner = build(cfg, train=False)
    runner.test()
    method = unwrap(runner.model)
    assert runner.test_loop.facts()["neighbours.per_class"] == 2
    assert method.bank_labels.bincount().tolist() == [2, 2]
    bank = runner.test_loop.bank
    labels = torch.stack([bank[i]["data_samples"]["labels"] for i in range(len(bank))])
    first = sorted(i for k in (0, 1) for i in (labels == k).nonzero().flatten()[:2].tolist())
    assert method.bank_labels.tolist() == labels[first].tolist()
    cfg.test_cfg.per_class = 1000
    with pytest.raises(ConfigError, match=r"per_class is 1000, but class \d has"):
        build(cfg, train=False).test()


def test_a_pretraining_is_validated_by_nearest_neighbours(tmp_path: Path) -> None:
    """The published monitor ends the training with an error."""
    train = scenes("train", num_images=2, labelled=False)
    monitor = {"type": "NeighbourValLoop", "k": 5, "bank": scenes("train")["dataset"]}
    plain = weights_after(
        config(
            tmp_path / "plain",
            PRETRAINING,
            train_dataloader=train,
            val_dataloader=None,
            val_evaluator=None,
        )
    )
    cfg = config(tmp_path / "run", PRETRAINING, train_dataloader=train, val_cfg=monitor)
    cfg.default_hooks = {"checkpoint": {"save_best": "overall_accuracy"}}
    monitored = weights_after(cfg)
    assert plain.keys() == monitored.keys()
    assert all(torch.equal(plain[name], monitored[name]) for name in plain)
    manifest = json.loads((tmp_path / "run/checkpoints/manifest.json").read_text())
    (best,) = [e for e in manifest["checkpoints"] if e["kind"] == "best"]
    assert best["metric"] == "overall_accuracy"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"val_cfg": {"type": "NeighbourValLoop"}, "model": PROBE}, "trains a MaskedAutoencoder"),
        (
            {
                "val_cfg": {"type": "NeighbourValLoop", "bank": scenes("val")["dataset"]},
                "model": NEIGHBOURS,
            },
            "share",
        ),
        ({"model": {**NEIGHBOURS, "k": 99}, "val_cfg": {"type": "NeighbourValLoop"}}, "k=99"),
        (
            {
                "model": NEIGHBOURS,
                "val_cfg": {"type": "NeighbourValLoop"},
                "train_dataloader": scenes("train", augment=True),
            },
            "val_cfg.bank: the sample .* is another one in another epoch",
        ),
        (
            {
                "model": PRETRAINING,
                "val_cfg": {"type": "NeighbourValLoop"},
                "train_dataloader": scenes("train", num_images=2, labelled=False),
            },
            "val_cfg.bank: the samples of toy_scenes have no labels",
        ),
        (
            {
                "model": PRETRAINING,
                "val_cfg": {
                    "type": "NeighbourValLoop",
                    "bank": scenes("train")["dataset"],
                    "per_class": 9,
                },
            },
            "k=20 neighbours, but val_cfg.bank has 18 samples; reduce k",
        ),
        ({"model": NEIGHBOURS}, "the bank of neighbours is empty"),
        (
            {"model": PROBE, "val_evaluator": [{"type": "MeanMSE"}]},
            "val_evaluator: MeanMSE is a score of frames, but the samples have labels; use a score",
        ),
    ],
    ids=[
        *("no encoder", "shared", "k", "augmented", "no labels", "k of a pre-training"),
        *("no bank", "frames"),
    ],
)
def test_a_mistake_in_the_evaluation_of_an_encoder_is_one_sentence(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    """Scores would be those of other neighbours."""
    model = options.pop("model")
    with pytest.raises(ConfigError, match=message):
        build(config(tmp_path, model, **options)).val()


def test_a_task_starts_from_a_complete_pretraining(tmp_path: Path) -> None:
    """Its features would be those of a pre-training that was interrupted, or of another epoch."""
    source = tmp_path / "pretraining_0"
    train = scenes("train", num_images=2, labelled=False)
    none = {"val_dataloader": None, "val_evaluator": None}
    weights = weights_after(config(source, PRETRAINING, train_dataloader=train, **none))
    hook = {"type": "PretrainedHook", "checkpoint": f"{tmp_path}/pretraining_{{seed}}"}
    hooks = [{**hook, "prefix": "net.encoder."}]

    found = weights_after(config(tmp_path / "task", PROBE, custom_hooks=hooks, seed=0))
    key = "encoder.blocks.0.attend.weight"
    assert torch.equal(found[f"net.{key}"], weights[f"net.encoder.{key}"])
    write_manifest(source, read_manifest(source))  # as before the last validation
    with pytest.raises(CheckpointError, match="is not complete, it ends after epoch 3; go on with"):
        weights_after(config(tmp_path / "again", PROBE, custom_hooks=hooks, seed=0))


def test_a_frozen_encoder_keeps_its_weights_and_its_mode(tmp_path: Path) -> None:
    """Statistics of its norms or its dropout would change in a linear probe."""
    runner = build(config(tmp_path, PROBE))
    method = unwrap(runner.model)
    before = {k: v.clone() for k, v in method.net.state_dict().items()}
    head = method.head.weight.clone()
    runner.train()
    assert all(torch.equal(before[k], v) for k, v in method.net.state_dict().items())
    assert not torch.equal(head, method.head.weight)
    method.train()
    assert not any(module.training for module in method.net.modules())


def test_cached_features_give_the_same_probe(tmp_path: Path) -> None:
    """A quicker probe would have other scores."""
    plain = weights_after(config(tmp_path / "plain", PROBE))
    hook = {"custom_hooks": [{"type": "CachedFeaturesHook"}]}
    cached = weights_after(config(tmp_path / "cached", PROBE, **hook))
    for name in plain:
        torch.testing.assert_close(plain[name], cached[name])


@pytest.mark.parametrize(
    ("model", "loader", "message"),
    [
        (PROBE, scenes("train", augment=True), "another one in another epoch"),
        ({**PROBE, "frozen": False}, scenes("train"), "needs a method with frozen=True"),
    ],
)
def test_features_that_change_are_not_cached(
    tmp_path: Path, model: dict[str, Any], loader: dict[str, Any], message: str
) -> None:
    """Stale features would be trained on."""
    cfg = config(tmp_path, model, train_dataloader=loader)
    cfg.custom_hooks = [{"type": "CachedFeaturesHook"}]
    with pytest.raises(ConfigError, match=message):
        build(cfg).train()


def test_reconstructions_are_drawn_for_each_sensor(tmp_path: Path) -> None:
    """A pre-training would show its loss only."""
    train = scenes("train", num_images=2, labelled=False)
    shown = scenes("val", num_images=2, labelled=False)["dataset"]
    cfg = config(tmp_path, PRETRAINING, train_dataloader=train, val_dataloader=None)
    cfg.val_evaluator, cfg.train_cfg.max_epochs = None, 1
    cfg.custom_hooks = [{"type": "ReconstructionFigureHook", "dataset": shown}]
    build(cfg).train()
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        "reconstruction_1.png",
        "reconstruction_2.png",
    ]


@pytest.mark.parametrize("number", [3, 7])
def test_another_number_of_classes_than_that_of_the_data_is_refused(
    number: int, tmp_path: Path
) -> None:
    """A label without a logit would end in a traceback, and one more logit would be no class."""
    message = f"model.num_classes is {number}, but the data have 2 classes: rows, columns; set"
    with pytest.raises(ConfigError, match=message):
        build(config(tmp_path, {**PROBE, "num_classes": number}))
