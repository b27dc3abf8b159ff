"""A record states what was trained, whatever the test was called with."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext import cli
from openstl_ext.datasets.boiling.dataset import Boiling
from openstl_ext.engine import checkpoint
from openstl_ext.errors import CheckpointError, UserError
from openstl_ext.results.board import board_of
from openstl_ext.results.record import Record
from openstl_ext.results.writers import writer_of

from .conftest import RECIPE

ELSEWHERE = [f"{stage}_dataloader.dataset.root=elsewhere" for stage in ("train", "val", "test")]


@pytest.fixture(scope="module", autouse=True)
def without_profile() -> Iterator[None]:
    """Leave out FLOPs and speed, which take a second and are tested where they live."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("openstl_ext.hooks.result.ResultHook._costs", lambda *_: {})
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config, its data, other data, and a trained and tested probe in ``probe``."""
    folder = tmp_path_factory.mktemp("identity")
    for name in ("data", "elsewhere"):
        (folder / name).mkdir()
        Boiling.make_toy(folder / name)
    for file in (folder / "elsewhere").rglob("*.npy"):
        np.save(file, 1 - np.load(file))
    (folder / "configs").mkdir()
    recipe = RECIPE.replace("max_epochs=2", "max_epochs=1")
    (folder / "configs/toy.py").write_text(recipe + "custom_hooks = [dict(type='ResultHook')]\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        options = ["model.loss.type=L1", *ELSEWHERE]
        words = ["--work-dir", "probe", "--seed", "5", "--test", "--cfg-options", *options]
        cli.call(["train", "configs/toy.py", *words])
        cli.call(["train", "configs/toy.py", "--work-dir", "recipe", "--test"])
    return folder


@pytest.fixture
def copy(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, which is the current one."""
    shutil.copytree(place, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def test(*words: str) -> None:
    """Call the command ``test``."""
    cli.call(["test", *words])


test.__test__ = False  # type: ignore[attr-defined]


def facts(path: Path) -> dict[str, Any]:
    """Return a record without date, speed and memory."""
    return {
        k: v
        for k, v in json.loads(path.read_text()).items()
        if k not in ("date", "frames_per_second", "latency", "peak_memory")
    }


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--cfg-options", *ELSEWHERE],
        ["--cfg-options", "test_dataloader.batch_size=2", "+test_dataloader.num_workers=0"],
    ],
)
def test_a_test_after_training_gives_the_record_of_train_with_test(
    copy: Path, words: list[str]
) -> None:
    """A training with other options would be listed as the recipe, or evaluated on other data."""
    before = facts(copy / "probe/result.json")
    assert before["overrides"] == ["model.loss.type=L1", *ELSEWHERE]
    assert before["seed"] == 5
    (time,) = before["training_time"]
    assert time["seconds"] > 0
    assert time["devices"] == 1
    (copy / "probe/result.json").unlink()
    test("configs/toy.py", "--work-dir", "probe", *words)
    assert facts(copy / "probe/result.json") == before
    assert list(copy.glob("probe/result_*")) == []


def test_the_saved_config_gives_the_same_record(copy: Path) -> None:
    """The config beside the weights would name another recipe, or could not be loaded."""
    before = facts(copy / "probe/result.json")
    saved = (copy / "probe/toy.py").read_bytes()
    (copy / "probe/result.json").unlink()
    shutil.move("probe", "moved")
    test("moved/toy.py")
    assert facts(copy / "moved/result.json") == before
    assert (copy / "moved/toy.py").read_bytes() == saved


@pytest.mark.parametrize(
    ("option", "key"),
    [
        ("model.loss.type=L2", "model.loss.type is 'L2', the checkpoint has 'L1'"),
        ("model.net.kernel_size=5", "model.net.kernel_size is 5, the checkpoint has 3"),
        ("train_cfg.max_epochs=9", "train_cfg.max_epochs is 9, the checkpoint has 1"),
        ("optim_wrapper.optimizer.lr=1", "optim_wrapper.optimizer.lr is 1, the checkpoint has"),
    ],
)
def test_another_model_or_training_than_that_of_the_weights_is_refused(
    copy: Path, option: str, key: str
) -> None:
    """The record would describe weights that were never trained so."""
    before = (copy / "probe/result.json").read_bytes()
    with pytest.raises(CheckpointError, match=key.replace(".", r"\.")):
        test("configs/toy.py", "--work-dir", "probe", "--cfg-options", option)
    assert (copy / "probe/result.json").read_bytes() == before
    assert list(copy.glob("probe/result_*")) == []


def edited(old: str, new: str) -> None:
    path = Path("configs/toy.py")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("type='FreeRunning'", "type='FreeRunning'", None),
        ("claimed=dict()", "claimed=dict(mse_sum=1.0)", None),
        ("lr=1e-2", "lr=1e-3", "optim_wrapper.optimizer.lr is 0.001, the checkpoint has 0.01"),
        ("hidden=(4,)", "hidden=(4, 4)", "model.net.hidden is"),
        ('dict(type="MeanMAE")', 'dict(type="MeanMSE")', "test_evaluator.1.type is 'MeanMSE'"),
    ],
)
def test_an_edited_config_is_refused_where_the_edit_counts(
    copy: Path, old: str, new: str, key: str | None
) -> None:
    """Weights of before the edit would be listed under the config as it is now."""
    if old != new:
        edited(old, new)
    if key is None:
        test("configs/toy.py", "--work-dir", "recipe")
        return
    before = (copy / "recipe/result.json").read_bytes()
    with pytest.raises(CheckpointError, match=key.replace(".", r"\.")):
        test("configs/toy.py", "--work-dir", "recipe")
    assert (copy / "recipe/result.json").read_bytes() == before


def test_another_stated_test_has_a_record_of_its_own_and_is_marked(copy: Path) -> None:
    """The result of the recipe would be replaced by one on other data."""
    before = (copy / "recipe/result.json").read_bytes()
    words = ("--cfg-options", "test_dataloader.dataset.root=elsewhere")
    test("configs/toy.py", "--work-dir", "recipe", *words)
    assert (copy / "recipe/result.json").read_bytes() == before
    (path,) = copy.glob("recipe/result_*_*.json")
    record = Record.read(path)
    assert record.metrics["mse_sum"] != Record.read(copy / "recipe/result.json").metrics["mse_sum"]
    assert [entry.partition("=")[0] for entry in record.overrides] == ["test_data.values"]
    test("configs/toy.py", "--work-dir", "recipe", *words)  # the same again replaces its own
    assert list(copy.glob("recipe/result_*_*.json")) == [path]
    kinds = {row.kind: row for table in board_of(["recipe"]).tables for row in table.rows}
    assert set(kinds) == {"run", "probe"}


def test_changed_test_data_are_refused(copy: Path) -> None:
    """Scores on regenerated data would be compared with scores on the data of before."""
    shutil.rmtree("data")
    shutil.move("elsewhere", "data")
    with pytest.raises(CheckpointError, match="test_data has other values"):
        test("configs/toy.py", "--work-dir", "recipe")


def test_moved_test_data_are_the_same_data(copy: Path) -> None:
    """A data set could not be moved to another disk."""
    before = facts(copy / "recipe/result.json")
    shutil.move("data", "disk")
    test(
        "configs/toy.py",
        "--work-dir",
        "recipe",
        "--cfg-options",
        *[f"{stage}_dataloader.dataset.root=disk" for stage in ("train", "val", "test")],
    )
    after = facts(copy / "recipe/result.json")
    assert after["overrides"] == []
    assert after["metrics"] == before["metrics"]


def test_another_checkpoint_of_a_run_keeps_the_record_of_the_best(copy: Path) -> None:
    """The figure of the best checkpoint would be lost, or averaged with another one."""
    before = (copy / "recipe/result.json").read_bytes()
    test("configs/toy.py", "recipe/checkpoints/epoch_1.pth", "--work-dir", "recipe")
    assert (copy / "recipe/result.json").read_bytes() == before
    board = board_of(["recipe"])
    rows = board.tables[0].rows
    assert sorted(row.checkpoint.partition(" ")[0] for row in rows) == ["", "epoch_1.pth"]
    assert all(len(row.records) == 1 for row in rows)
    assert "the row ConvLSTM (toy) has best_epoch_1.pth" in writer_of("md")(board)
    assert board.repeats == ()


def test_weights_of_unknown_training_are_not_listed_as_the_recipe(copy: Path) -> None:
    """Converted or old weights would stand in bold under a name that they may not deserve."""
    import torch

    best = checkpoint.best("recipe")
    torch.save(checkpoint.read(best)["state_dict"], "bare.pth")
    test("configs/toy.py", "bare.pth", "--work-dir", "other")
    record = Record.read(copy / "other/result.json")
    assert record.training is None
    text = writer_of("md")(board_of(["other"]))
    assert r"ConvLSTM (toy)\?" in text
    assert "does not state how it was trained" in text
    assert "**" not in text.replace("**Synthetic data**", "")


def test_a_probe_and_the_recipe_are_two_rows(copy: Path) -> None:
    """The figure of the recipe would be dropped as a run that was found twice."""
    board = board_of(["recipe", "probe"])
    assert board.repeats == ()
    rows = [row for table in board.tables for row in table.rows]
    assert sorted(row.kind for row in rows) == ["probe", "run"]


def test_predictions_are_those_of_the_trained_model(copy: Path) -> None:
    """Another model of the same shapes would forecast nonsense without an error."""
    frames = np.load(next((copy / "data").rglob("*.npy")))
    np.save("frames.npy", np.zeros((10, 1, *frames.shape[-2:]), np.float32))
    best = str(checkpoint.best("recipe"))
    for config in ("configs/toy.py", "recipe/toy.py"):
        cli.call(["predict", config, best, "--input", "frames.npy", "--out", f"{config[:6]}.npy"])
    np.testing.assert_array_equal(np.load("config.npy"), np.load("recipe.npy"))
    edited('type="FreeRunning"', 'type="ScheduledSampling", start=1.0, rate=1e-3, stop=10')
    with pytest.raises(CheckpointError, match="teacher_forcing"):
        cli.call(["predict", "configs/toy.py", best, "--input", "frames.npy", "--out", "x.npy"])


def test_a_refused_training_leaves_the_saved_config(copy: Path) -> None:
    """The config beside the weights would be one that they were not trained with."""
    before = (copy / "recipe/toy.py").read_bytes()
    refused = ["--work-dir", "recipe", "--cfg-options", "optim_wrapper.optimizer.lr=0.5"]
    for words in ([], ["--resume"]):
        with pytest.raises(UserError):
            cli.call(["train", "configs/toy.py", *words, *refused])
        assert (copy / "recipe/toy.py").read_bytes() == before


def test_every_command_takes_the_saved_config(copy: Path, capsys: pytest.CaptureFixture) -> None:
    """A run could not be repeated from its own folder."""
    cli.call(["profile", "probe/toy.py"])
    cli.call(["train", "probe/toy.py", "--work-dir", "again", "--test"])
    first, second = (facts(copy / run / "result.json") for run in ("probe", "again"))
    own = {"checkpoint": None, "training_time": None}  # of each training
    assert {**first, **own} == {**second, **own}
    cli.call(["train", "probe/toy.py", "--resume"])
