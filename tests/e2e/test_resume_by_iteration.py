"""A training counted in iterations, killed and resumed, equals an uninterrupted one bit for bit."""

import json
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.engine import checkpoint
from tests.e2e.test_resume import assert_same, final, killed_at, losses
from tests.engine import toy_sites
from tests.engine.resume_scenarios import log_of, run_scenarios

ITERATIONS = 19  # the third epoch of one process, and the fifth of two, ends in its middle
WAVES = {
    "param_scheduler": [
        {"type": "OneCycleLR", "eta_max": 1e-2},
        {"type": "ExponentialMomentum", "gamma": 0.98},
    ],
}


def options_of(world: dict[str, Any], workers: int) -> dict[str, Any]:
    return {
        **world,
        "train_cfg": {"_delete_": True, "max_iterations": ITERATIONS, "val_interval": 5},
        "train_dataloader.num_workers": workers,
        "custom_hooks": [{"type": "LossDiary"}, {"type": "EMAHook", "momentum": 0.1}],
    }


def validations(work_dir: Path, score: str) -> dict[int, float]:
    """Return the score of each validation by iteration."""
    lines = map(json.loads, (work_dir / "scalars.jsonl").read_text().splitlines())
    return {line["step"]: line[score] for line in lines if score in line}


def check_resume(root: Path, options: dict[str, Any], ranks: int, score: str) -> None:
    """Compare an uninterrupted run with one that is killed twice."""
    reference, killed = root / "reference", root / "killed"
    resumed = {"options": {**options, "resume": True}, "ranks": ranks}
    stages = [
        {"options": killed_at(options, 8), "ranks": ranks},
        {"options": {**killed_at(options, 13), "resume": True}, "ranks": ranks},
        resumed,
    ]
    codes = run_scenarios({reference: [{"options": options, "ranks": ranks}], killed: stages})
    assert codes[reference] == [[0] * ranks], log_of(reference)
    assert [max(each, key=abs) for each in codes[killed]] == [-9, -9, 0], log_of(killed)
    assert final(reference)["meta"]["iteration"] == ITERATIONS
    assert_same(final(reference), final(killed))
    for rank in range(ranks):
        assert losses(reference, rank) == losses(killed, rank)
        assert set(losses(reference, rank)) == set(range(ITERATIONS))
    assert list(validations(reference, score)) == [5, 10, 15, 19]
    assert validations(reference, score) == validations(killed, score)
    listed = [
        {(e.file, e.iteration, e.value) for e in checkpoint.read_manifest(path)}
        for path in (reference, killed)
    ]
    assert listed[0] == listed[1]
    assert {("iter_19.pth", 19, None), ("iter_15.pth", 15, None)} < listed[0]


def test_one_process_continues_exactly(tmp_path: Path) -> None:
    """A model trained on a queue with a time limit would be another model."""
    check_resume(tmp_path, options_of(WAVES, workers=0), ranks=1, score="mse")


@pytest.mark.slow
def test_two_processes_with_workers_and_a_plateau_continue_exactly(tmp_path: Path) -> None:
    """A rate that waits for scores would fall at another iteration after a resume."""
    options = options_of(toy_sites.options(), workers=2)
    check_resume(tmp_path, options, ranks=2, score="dice[site]")
    # the score of a resume is in the state of the plateau, and its rate in the optimiser
    assert final(tmp_path / "reference")["param_schedulers"][0]["best"] is not None


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "ranks"), [(2, 1), (0, 2), (2, 2)])
def test_other_numbers_of_workers_and_processes_continue_exactly(
    workers: int, ranks: int, tmp_path: Path
) -> None:
    """Workers and processes could each be exact, and both together not."""
    check_resume(tmp_path, options_of(WAVES, workers), ranks, score="mse")


@pytest.mark.slow
def test_a_run_killed_between_a_save_and_its_validation_still_validates(tmp_path: Path) -> None:
    """The best checkpoint could be one that was never compared with the others."""
    reference, killed = tmp_path / "reference", tmp_path / "killed"
    options = options_of(WAVES, workers=0)
    # the fourth fsync ends the first save, in the middle of an epoch
    stages = [
        {"options": options, "fault": ["fsync", 4, "kill"]},
        {"options": {**options, "resume": True}},
    ]
    assert run_scenarios({reference: [{"options": options}], killed: stages})[killed] == [[-9], [0]]
    assert list(validations(killed, "mse")) == [5, 10, 15, 19]
    assert validations(reference, "mse") == validations(killed, "mse")
    assert_same(final(reference), final(killed))


def test_iterations_and_epochs_train_alike(tmp_path: Path) -> None:
    """The unit of a config would change the model."""
    schedule = {"type": "OneCycleLR", "eta_max": 1e-2, "by_epoch": False}
    common = {"param_scheduler": [schedule]}
    counted = {"_delete_": True, "max_iterations": 16, "val_interval": 8}
    epochs, iterations = tmp_path / "epochs", tmp_path / "iterations"
    run_scenarios(
        {
            epochs: [{"options": {**common, "train_cfg.max_epochs": 2}}],
            iterations: [{"options": {**common, "train_cfg": counted}}],
        }
    )
    assert losses(epochs) == losses(iterations)
    assert_same(final(epochs)["state_dict"], final(iterations)["state_dict"])
    assert validations(epochs, "mse") == validations(iterations, "mse")
