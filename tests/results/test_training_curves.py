"""Losses and scores from the log of a run."""

import json
import math
from pathlib import Path

import pytest

from openstl_ext.errors import DataError, UserError
from openstl_ext.results.training_curves import names_of, shown_scores, trainings_below


@pytest.fixture
def run(tmp_path: Path):
    """Write the log of a run of three epochs of two iterations."""

    def write(place: str = "toy/net/seed_0", *, epochs: bool = True) -> Path:
        folder = tmp_path / "work_dirs" / place
        folder.mkdir(parents=True)
        lines = []
        for epoch in range(1, 4):
            for iteration in (2 * epoch - 1, 2 * epoch):
                lines.append({"step": iteration, "phase": "train", "loss": iteration, "lr": 0.1})
            score = None if epoch == 2 else 1 / epoch
            scores = {"mse": score, "mse@1": 0.5, "ssim": 0.9, "data_time": 0.1}
            lines.append({"step": 2 * epoch, "phase": "val", **scores})
        (folder / "scalars.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
        if epochs:
            (folder / "checkpoints").mkdir()
            entries = [
                {"file": "latest.pth", "epoch": 2, "iteration": 5},
                {"file": "epoch_3.pth", "epoch": 3, "iteration": 6},
            ]
            text = json.dumps({"checkpoints": entries})
            (folder / "checkpoints/manifest.json").write_text(text)
        return folder

    return write


def test_the_loss_is_the_mean_of_each_epoch_and_scores_are_at_its_end(run) -> None:
    """The end of a training would be at the wrong epoch."""
    (training,) = trainings_below([run()])
    assert training.per_epoch == 2
    assert training.points("loss", epochs=True) == [(1, 1.5), (2, 3.5), (3, 5.5)]
    first, second, third = training.points("mse", epochs=True)
    assert (first, third) == ((1, 1.0), (3, 1 / 3))
    assert second[0] == 2
    assert math.isnan(second[1])
    assert training.scores == ["mse", "mse@1", "ssim"]


def test_a_run_without_epochs_counts_iterations(run) -> None:
    """A run that is counted in iterations would have no picture."""
    (training,) = trainings_below([run(epochs=False)])
    assert training.per_epoch is None
    assert training.points("loss", epochs=True)[:2] == [(1, 1), (2, 2)]
    assert [at for at, _ in training.points("mse", epochs=True)] == [2, 4, 6]


def test_runs_are_found_at_any_depth_once_and_named_by_config_and_seed(run, tmp_path) -> None:
    """Two seeds would have one name, or one run two lines."""
    run()
    run("toy/net/seed_1")
    run("mine", epochs=False)
    found = trainings_below([tmp_path / "work_dirs", tmp_path / "work_dirs/toy"])
    assert names_of(found) == ["mine", "toy/net, seed 0", "toy/net, seed 1"]


def test_the_overall_scores_are_shown_and_mistakes_named(run, tmp_path: Path) -> None:
    """A misspelt score would leave an empty picture."""
    found = trainings_below([run()])
    assert shown_scores(found, []) == ["mse", "ssim"]
    assert shown_scores(found, ["mse@1"]) == ["mse@1"]
    with pytest.raises(UserError, match="no run validates 'mze'; did you mean 'mse'"):
        shown_scores(found, ["mze"])
    with pytest.raises(UserError, match="does not exist"):
        trainings_below([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no scalars\.jsonl below"):
        trainings_below([tmp_path / "empty"])
    log = tmp_path / "work_dirs/toy/net/seed_0/scalars.jsonl"
    log.write_text(log.read_text() + "{damaged\n")
    with pytest.raises(DataError, match="line 10 is not an entry of a log"):
        trainings_below([tmp_path / "work_dirs"])
