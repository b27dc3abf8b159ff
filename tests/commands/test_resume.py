"""One command that starts a run, continues it, and ends when nothing is left to do."""

import json
from pathlib import Path

import pytest

from openstl_ext.engine import checkpoint

from .conftest import Call

AUTO = ("train", "configs/toy.py", "--resume", "auto", "--test")


@pytest.fixture(scope="module")
def run(call: Call, place: Path) -> Path:
    """A work directory after a first call of the command."""
    done = call(*AUTO, "--work-dir", "auto")
    assert done.returncode == 0, done.stderr
    return place / "auto"


def test_a_finished_run_ends_with_the_path_of_its_best_checkpoint(run: Path, call: Call) -> None:
    """A loop in a shell would not end, or would test again at each call."""
    date = json.loads((run / "result.json").read_text())["date"]
    done = call(*AUTO, "--work-dir", "auto")
    assert done.returncode == 0, done.stderr
    assert "nothing left to do" in done.stdout + done.stderr
    assert f"auto/checkpoints/{checkpoint.best(run).name}" in done.stdout + done.stderr
    assert "the test is done, too: its result is" in done.stdout + done.stderr
    assert json.loads((run / "result.json").read_text())["date"] == date
    assert not list(run.glob("result_*"))


def test_a_test_that_was_not_run_is_made_up_for(run: Path, call: Call) -> None:
    """A job that ended between training and test would never have a result."""
    (run / "result.json").rename(run / "moved")
    try:
        done = call(*AUTO, "--work-dir", "auto")
        assert done.returncode == 0, done.stderr
        assert json.loads((run / "result.json").read_text())["checkpoint"]["file"].startswith(
            "best"
        )
    finally:
        (run / "moved").replace(run / "result.json")


def test_a_longer_run_is_tested_with_its_length(run: Path, call: Call) -> None:
    """The best checkpoint of the shorter run would be refused by the test of the longer one."""
    longer = ("--cfg-options", "train_cfg.max_epochs=3", "checkpoint.keep=-1")
    done = call(*AUTO, "--work-dir", "auto", *longer)
    assert done.returncode == 0, done.stderr
    assert sorted(e.epoch for e in checkpoint.read_manifest(run) if e.kind == "resume") == [1, 2, 3]
    done = call("test", "configs/toy.py", "--work-dir", "auto", *longer)
    assert done.returncode == 0, done.stderr
    texts = [path.read_text() for path in run.glob("result*.json")]
    extended = [r for r in map(json.loads, texts) if "earlier lengths" in r["training"]]
    assert [r["training"]["earlier lengths"] for r in extended] == [[2]]


@pytest.mark.parametrize("word", ["latest", "latest.pth"])
def test_latest_is_the_newest_checkpoint_of_the_work_directory(
    run: Path, call: Call, word: str
) -> None:
    """The name of simvp_minimal would be taken for a file, which does not exist."""
    assert run.is_dir()
    longest = ("--cfg-options", "train_cfg.max_epochs=3")
    done = call("train", "configs/toy.py", "--resume", word, "--work-dir", "auto", *longest)
    assert done.returncode == 0, done.stderr
    assert "nothing left to do" in done.stdout + done.stderr
    done = call("train", "configs/toy.py", "--resume", word, "--work-dir", "never")
    assert done.returncode == 2
    assert done.stderr.count("error:") == 1
    assert "never/checkpoints; leave out --resume to start a new run" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_config_is_not_resumed(run: Path, call: Call, place: Path) -> None:
    """Two different trainings would be one curve."""
    text = (place / "configs" / "toy.py").read_text().replace("hidden=(4,)", "hidden=(5,)")
    (place / "configs" / "other.py").write_text(text)
    done = call("train", "configs/other.py", "--resume", "auto", "--work-dir", "auto")
    assert done.returncode == 2
    assert "model.net.hidden is [5], the checkpoint has [4]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_newest_checkpoint_is_passed_over(call: Call, place: Path) -> None:
    """A machine that crashed in a save would end the run."""
    arguments = ("train", "configs/toy.py", "--resume", "auto", "--work-dir", "damaged")
    assert call(*arguments).returncode == 0
    folder = place / "damaged" / "checkpoints"
    expected = checkpoint.read(folder / "epoch_2.pth")["state_dict"]
    (folder / "epoch_2.pth").write_bytes((folder / "epoch_2.pth").read_bytes()[:900])
    done = call(*arguments)
    assert done.returncode == 0, done.stderr
    printed = done.stdout + done.stderr
    assert "epoch_2.pth is damaged" in printed
    assert "epoch_1.pth after" in printed
    again = checkpoint.read(folder / "epoch_2.pth")["state_dict"]
    assert all(again[name].equal(value) for name, value in expected.items())
    for name in ("epoch_1.pth", "epoch_2.pth"):
        (folder / name).write_bytes(b"")
    done = call(*arguments)
    assert done.returncode == 2
    assert "is intact; start again with another --work-dir" in done.stderr


@pytest.mark.slow
def test_two_processes_start_and_continue_with_one_command(call: Call, place: Path) -> None:
    """Ranks could disagree whether there is a run to continue."""
    arguments = ("2", "configs/toy.py", "--resume", "auto", "--work-dir", "two", "--test")
    for expected in ("epoch 2/2", "nothing left to do"):
        done = call("dist_train.sh", *arguments)
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout + done.stderr
    done = call("dist_train.sh", *arguments, "--cfg-options", "train_cfg.max_epochs=3")
    assert done.returncode == 0, done.stderr
    assert "epoch 3/3" in done.stdout + done.stderr
