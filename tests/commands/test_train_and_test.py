"""Training and testing as users call them."""

import json
import re
from pathlib import Path

import pytest

from openstl_ext import cli
from openstl_ext.config.overrides import check_consistent
from openstl_ext.errors import ConfigError

from .conftest import Call


@pytest.fixture(scope="module")
def trained(call: Call, place: Path) -> Path:
    """The work directory of a run on two processes."""
    done = call("dist_train.sh", "2", "configs/toy.py", "--work-dir", 'it\'s "a" $(run)', "--test")
    assert done.returncode == 0, done.stderr
    return place / 'it\'s "a" $(run)'


def test_two_processes_train_and_test_on_cpus(trained: Path) -> None:
    """Without GPUs several processes could not be used, or quotes would change a folder name."""
    record = json.loads((trained / "result.json").read_text())
    assert record["config"] == "toy"
    scalars = [json.loads(line) for line in (trained / "scalars.jsonl").read_text().splitlines()]
    steps = [(entry["step"], entry["phase"]) for entry in scalars]
    assert steps == [(1, "train"), (1, "val"), (2, "train"), (2, "val")]
    assert list((trained / "tensorboard").iterdir())
    assert len(list((trained / "checkpoints").glob("best_epoch_*.pth"))) == 1


def test_the_best_checkpoint_is_tested_and_named(trained: Path, call: Call) -> None:
    """The test would score random weights, as the documented command of OpenSTL did."""
    before = json.loads((trained / "result.json").read_text())["metrics"]
    done = call("test", "configs/toy.py", "--work-dir", str(trained), "--save-predictions")
    assert done.returncode == 0, done.stderr
    assert re.search(r"checkpoints/best_epoch_\d+\.pth \(best of", done.stdout + done.stderr)
    after = json.loads((trained / "result.json").read_text())["metrics"]
    assert {k: v for k, v in after.items() if k.startswith("mse_sum")} == pytest.approx(
        {k: v for k, v in before.items() if k.startswith("mse_sum")}
    )
    assert len(list((trained / "saved" / "preds").iterdir())) == 2


def test_latest_and_best_are_names_of_checkpoints(trained: Path, call: Call, place: Path) -> None:
    """A user would have to look up the number of an epoch first."""
    folder = trained / "checkpoints"
    best, latest = next(folder.glob("best_*")), max(folder.glob("epoch_*"))
    files = {"latest": latest, "best": best, str(folder / "latest.pth"): latest}
    for name, file in files.items():
        done = call("test", "configs/toy.py", name, "--work-dir", str(trained), "--quiet")
        assert done.returncode == 0, done.stderr
        shown = [line for line in done.stdout.splitlines() if "warning: " not in line]
        assert f"tested {file.name} on " in shown[0]
        assert any(line.startswith("  next ") for line in shown)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "configs/toi.py"), "did you mean 'configs/toy.py'"),
        (("train", "configs/toy.py", "--cfg-options", "sed=1"), "did you mean 'seed'"),
        (("train", "configs/toy.py", "--resume", "--work-dir", "new"), "new"),
        (("test", "configs/toy.py", "--work-dir", "new"), "train first"),
    ],
)
def test_a_mistake_is_reported_in_one_message(
    call: Call, arguments: tuple[str, ...], message: str
) -> None:
    """A typo would print forty lines of traceback."""
    done = call(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1


@pytest.mark.slow
def test_a_mistake_on_several_processes_is_reported_once(call: Call) -> None:
    """The message would be lost among its copies and the reports of torchrun."""
    done = call("dist_train.sh", "2", "configs/toy.py", "--cfg-options", "modle.type=X")
    assert done.returncode == 2
    assert done.stderr.count("did you mean 'model'") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--seed 3 --cfg-options seed=1", "--seed 3 contradicts --cfg-options seed=1"),
        ("--name a --cfg-options work_dir=b", "--name a: work_dirs/a contradicts"),
        ("--work-dir a --cfg-options work_dir=b", "--work-dir a contradicts"),
        ("--cfg-options seed=1 --cfg-options seed=2", "seed=1 and seed=2 both set seed"),
        (
            "--cfg-options checkpoint.keep=1 +default_hooks.checkpoint.keep=2",
            "both set default_hooks.checkpoint.keep",
        ),
        ("--cfg-options model.net.kernel_size=5 model.net={}", "both set model.net.kernel_size"),
        ("--amp --cfg-options optim_wrapper.type=OptimWrapper", "both set optim_wrapper.type"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch, words: str, message: str
) -> None:
    """One of two settings would be dropped without a word."""
    monkeypatch.chdir(place)
    with pytest.raises(ConfigError, match=re.escape(message)):
        cli.call(["train", "configs/toy.py", *words.split()])


def test_options_that_repeat_or_refine_each_other_are_taken() -> None:
    """A script that adds options would stop for those that its user gives too."""
    check_consistent(["seed=1", "seed=1", "a={}", "a.b=2"], {"seed": ("--seed", 1)})
    check_consistent(["work_dir=2024", "ab=1", "a=1"], {"work_dir": ("--work-dir", "2024")})


def test_a_dry_run_prints_config_and_shapes_and_writes_nothing(call: Call, place: Path) -> None:
    """A mistake in the data would be found only when training has begun."""
    options = ("--cfg-options", "train_dataloader.batch_size=2", "work_dir=dry")
    done = call("train", "configs/toy.py", "--dry-run", *options)
    assert done.returncode == 0, done.stderr
    assert "net=dict(" in done.stdout
    assert "inputs.frames: (2, 10, 1, " in done.stdout
    assert "data_samples.frames: (2, 10, 1, " in done.stdout
    assert not (place / "dry").exists()
    assert not (place / "work_dirs").exists()


def test_a_dry_run_with_workers_ends(call: Call) -> None:
    """The process would wait for its workers for ever, after it has printed everything."""
    workers = "+train_dataloader.num_workers=1"
    done = call("train", "configs/toy.py", "--dry-run", "--cfg-options", workers)
    assert done.returncode == 0, done.stderr
    assert "num_workers=1" in done.stdout
    assert "inputs.frames: (3, 10, 1, " in done.stdout


def test_the_list_names_what_users_look_for(call: Call) -> None:
    """Users of OpenSTL would not find SimVP-gSTA, which is a net and a method here."""
    done = call("train", "--list")
    assert done.returncode == 0, done.stderr
    for word in ("recipes", "DirectForecast", "Boiling", "SummedMSE", "boiling/simvp_gsta_small"):
        assert word in done.stdout


def test_a_config_is_needed(call: Call) -> None:
    """A missing config would train some default, as in OpenSTL#7."""
    done = call("train")
    assert done.returncode == 2
    assert "openstl-ext list" in done.stderr
