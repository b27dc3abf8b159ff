"""Several processes train and evaluate encoders, each with images of other sensors."""

import json
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.engine import checkpoint
from tests.e2e.test_resume import assert_same, final, losses
from tests.engine import toy_scenes
from tests.engine.resume_scenarios import log_of, run_scenarios
from tests.engine.test_encoding import ACCURACY, NEIGHBOURS, PRETRAINING, scenes

NEW = {"_delete_": True}
PAIRS = scenes("train", num_images=2, labelled=False, alternates=True)
PLUGIN = {"plugins": [toy_scenes.__file__]}
BASE: dict[str, Any] = {
    "train_dataloader": {
        **NEW,
        **{**PAIRS, "batch_size": 2},
        # the samples of one rank are of one pair of sensors, those of the other of another
        "sampler": {"type": "DefaultSampler", "shuffle": False},
    },
    **dict.fromkeys(("val_dataloader", "val_evaluator", "val_cfg")),
    **dict.fromkeys(("test_dataloader", "test_evaluator", "test_cfg")),
    "model": {**NEW, **PRETRAINING},
    "optim_wrapper": {**NEW, "optimizer": {"type": "AdamW", "lr": 1e-2, "weight_decay": 0.1}},
    "param_scheduler": None,
    "auto_scale_lr": {"enable": True, "base_batch_size": 16},
    "train_cfg": {**NEW, "max_epochs": 3},
    "model_wrapper_cfg": {"find_unused_parameters": True},
}
VALIDATED = {
    "val_dataloader": {**NEW, **scenes("val")},
    "val_evaluator": ACCURACY,
    "val_cfg": {"type": "NeighbourValLoop", "k": 3, "bank": scenes("test")["dataset"]},
}


def stages(*ranks: int) -> list[dict[str, Any]]:
    """Return a run that is stopped after 3 and 8 iterations and resumed with other ranks."""
    found = []
    for number, (count, at) in enumerate(zip(ranks, (3, 8, None), strict=True)):
        hooks = [{"type": "LossDiary"}]
        if at:
            hooks.append({"type": "KillHook", "at": at, "signum": 15})
        options = {**BASE, "custom_hooks": hooks, **({"resume": True} if number else {})}
        found.append({"options": options, "ranks": count, **PLUGIN})
    return found


def test_two_ranks_with_other_sensors_equal_one_bit_for_bit(tmp_path: Path) -> None:
    """Projections that one rank does not use would have the gradient of the other, or none.

    The rank that goes on alone also keeps the learning rate of both.
    """
    reference, changed = tmp_path / "reference", tmp_path / "changed"
    codes = run_scenarios(
        {reference: [{"options": BASE, "ranks": 2, **PLUGIN}], changed: stages(2, 1, 2)}
    )
    assert codes == {reference: [[0, 0]], changed: [[143, 143], [143], [0, 0]]}, log_of(changed)
    assert_same(losses(reference), losses(changed))
    assert_same(final(reference), final(changed))
    (group,) = final(changed)["optimizer"]["param_groups"]
    assert group["lr"] == 1e-2 * 2 * 2 / 16


@pytest.mark.slow
def test_parameters_without_gradient_are_an_error_with_the_option(tmp_path: Path) -> None:
    """The user would see thirty lines of torch."""
    options = {**BASE, "model_wrapper_cfg": {"find_unused_parameters": False}}
    work_dir = tmp_path / "run"
    run_scenarios({work_dir: [{"options": options, "ranks": 2, **PLUGIN}]})
    assert "set model_wrapper_cfg=dict(find_unused_parameters=True)" in log_of(work_dir)


def test_neighbours_are_tested_on_two_ranks_with_the_scores_of_one(tmp_path: Path) -> None:
    """Nothing is trained, which the wrapper for several processes refuses."""
    options = {
        **BASE,
        "model": {**NEW, **NEIGHBOURS},
        "train_dataloader": {**NEW, **scenes("train")},
        "test_dataloader": {**NEW, **scenes("test")},
        "test_evaluator": ACCURACY,
        "test_cfg": {"type": "NeighbourTestLoop"},
    }
    work_dir = tmp_path / "run"
    tests = [{"options": options, "ranks": n, "test": True, **PLUGIN} for n in (1, 2)]
    assert run_scenarios({work_dir: tests})[work_dir] == [[0], [0, 0]], log_of(work_dir)
    one, two = (json.loads((work_dir / f"scores_{n}.json").read_text()) for n in (1, 2))
    assert one == two


@pytest.mark.slow
def test_a_pretraining_on_two_ranks_is_validated_by_neighbours(tmp_path: Path) -> None:
    """The monitor would change the training, or the ranks wait for each other."""
    plain, monitored = tmp_path / "plain", tmp_path / "monitored"
    hook = {"default_hooks.checkpoint": {"save_best": "overall_accuracy"}}
    codes = run_scenarios(
        {
            plain: [{"options": BASE, "ranks": 2, **PLUGIN}],
            monitored: [{"options": {**BASE, **VALIDATED, **hook}, "ranks": 2, **PLUGIN}],
        }
    )
    assert codes == {plain: [[0, 0]], monitored: [[0, 0]]}, log_of(monitored)
    assert_same(final(plain)["state_dict"], final(monitored)["state_dict"])
    (best,) = [e for e in checkpoint.read_manifest(monitored) if e.kind == "best"]
    assert best.metric == "overall_accuracy"
