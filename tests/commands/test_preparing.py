"""Missing data: the command of the message fits the config, and --prepare runs it."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from openstl_ext import cli
from openstl_ext.commands import preparing
from openstl_ext.config import load
from openstl_ext.errors import ConfigError, DatasetNotFoundError, UserError
from openstl_ext.flags.entries import entries
from openstl_ext.flags.values import Flags
from openstl_ext.registry import DATASETS

SMALL = "boiling/simvp_gsta_small"


def missing(name: str, **flags: Any) -> DatasetNotFoundError:
    """Return the error of the training data of a config with flags, where there are none."""
    cfg = load(name, entries(load(name).to_dict(), Flags(**flags)))
    with pytest.raises(DatasetNotFoundError) as raised:
        DATASETS.build(cfg.train_dataloader.dataset)
    return raised.value


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_makes_data_of_the_size_and_length_of_the_config() -> None:
    """The next try would end with an error about the shape, as with the first README command."""
    error = missing(SMALL, data=Path("my data"), size=(16, 16), frames_in=4, frames_out=3)
    assert "--image_size 16 --data_path 'my data'" in str(error)
    for words in error.commands:
        cli.call(["data", *words])
    data = Flags(data=Path("my data"), size=(16, 16), frames_in=4, frames_out=3)
    cfg = load(SMALL, entries(load(SMALL).to_dict(), data))
    item = DATASETS.build(cfg.train_dataloader.dataset)[0]
    assert item["inputs"]["frames"].shape == (4, 1, 16, 16)
    assert item["data_samples"]["frames"].shape == (3, 1, 16, 16)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("boiling/simvp_gsta", "boiling --num_frames 20 --image_size 64 --data_path data/boiling"),
        ("kth/convlstm_10to20", "kth --root data/kth"),
        ("taxibj/small/convlstm", "taxibj --miniature --root data/miniature/taxibj"),
        (
            "moving_mnist/small/vmrnn_b",
            "moving-mnist --miniature --root data/miniature/moving_mnist",
        ),
        (
            "human_modification/small/convlstm",
            "human-modification --miniature --root data/miniature/human_modification",
        ),
        ("lts/small/st_gru", "lts --miniature --root data/miniature/lts"),
        ("sensor_scenes/pretraining", "sensor-scenes --root data/sensor_scenes"),
        ("sensor_scenes/pelican/random_linear_probe", "sensor-scenes --root data/sensor_scenes"),
    ],
)
def test_a_config_of_a_miniature_gets_the_command_of_its_miniature(name: str, command: str) -> None:
    """A gigabyte would be downloaded into the folder of a miniature."""
    error = missing(name)
    assert error.commands[0] == shlex.split(command)
    statistics = load(name).model.get("data_preprocessor", {}).get("prepare")
    assert statistics is None or statistics == f"openstl-ext data {command}"


@pytest.mark.parametrize("name", ["human_modification/convlstm", "lts/st_mamba", "burn_scars/"])
def test_data_that_a_person_has_to_fetch_are_not_offered(name: str) -> None:
    """--prepare would run a command that needs files which nobody has put there."""
    name = "burn_scars/smarties_vit_b_upernet" if name == "burn_scars/" else name
    error = missing(name)
    assert "by hand" in str(error)
    assert error.commands == []


def test_prepare_runs_each_command_once_and_builds_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first try would fail, or a command that does not help would run for ever."""
    args = type("Args", (), {"prepare": True, "launcher": "none"})
    called: list[list[str]] = []
    errors = [DatasetNotFoundError("a", prepare="openstl-ext data x && openstl-ext data y --n 1")]
    cfg = load(SMALL)

    def build(cfg: Any, *, train: bool) -> str:
        if errors:
            raise errors.pop() if len(errors) == 1 else errors[0]
        return "built"

    monkeypatch.setattr("openstl_ext.engine.runner.build", build)
    monkeypatch.setattr(cli, "call", lambda words: called.append(list(words)))
    assert preparing.built(cfg, args) == "built"  # type: ignore[arg-type, comparison-overlap]
    assert called == [["data", "x"], ["data", "y", "--n", "1"]]
    errors += [DatasetNotFoundError("a", prepare="openstl-ext data x")] * 2
    with pytest.raises(DatasetNotFoundError):
        preparing.built(cfg, args)  # type: ignore[arg-type]
    args.prepare = False
    with pytest.raises(UserError, match="or add --prepare, which runs it first"):
        preparing.built(cfg, args)  # type: ignore[arg-type]
    args.prepare, args.launcher = True, "pytorch"
    with pytest.raises(ConfigError, match="--prepare works in one process"):
        preparing.built(cfg, args)  # type: ignore[arg-type]


def test_missing_statistics_are_found_before_training() -> None:
    """The error would come in the first iteration, where --prepare cannot help."""
    error = preparing.missing_statistics(load("lts/st_mamba"))
    assert error is not None
    assert error.commands == [["lts", "cut", "--root", "data/lts"]]
    assert preparing.missing_statistics(load(SMALL)) is None


def test_a_dry_run_names_what_would_be_prepared_and_makes_nothing(
    empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user would have to start a download to find out how large it is, or what it is."""
    command = ["train", SMALL, "--size", "8", "--frames-in", "2", "--frames-out", "1"]
    cli.call([*command, "--dry-run", "--prepare"])
    *config, head, simulation, split = capsys.readouterr().out.rstrip().splitlines()
    assert "in_shape=(" in "".join(config)
    assert head == "--prepare would run, before the training:"
    at = "--data_path data/boiling_small"
    assert simulation == f"  openstl-ext data boiling --num_frames 3 --image_size 8 {at}"
    assert split == f"  openstl-ext data split {at}"
    assert not list(empty_folder.iterdir())
    with pytest.raises(DatasetNotFoundError, match="by hand"):
        cli.call(["train", "human_modification/convlstm", "--dry-run", "--prepare"])
    with pytest.raises(ConfigError, match="works in one process"):
        cli.call([*command, "--dry-run", "--prepare", "--launcher", "pytorch"])


@pytest.mark.slow
def test_the_first_command_trains_when_it_is_typed_again_with_prepare() -> None:
    """A new user would have to read the documentation of the data first."""
    command = ["train", SMALL, "--epochs", "1", "--size", "8", "--frames-in", "2"]
    command += ["--frames-out", "1", "--name", "first"]
    with pytest.raises(UserError, match="or add --prepare"):
        cli.call(command)
    cli.call([*command, "--prepare"])
    assert Path("work_dirs/first/checkpoints/epoch_1.pth").is_file()
