"""Short flags as overrides: contradictions, values that change nothing, plugins."""

import os
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from openstl_ext.config import load
from openstl_ext.datasets.boiling.dataset import Boiling
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.flags.entries import entries
from openstl_ext.flags.values import Flags
from openstl_ext.registry import DATASETS, MODELS

SMALL = "boiling/simvp_gsta_small"


def of(config: str | dict[str, Any], *stated: str, **flags: Any) -> list[str]:
    values = load(config, stated).to_dict() if isinstance(config, str) else config
    only_test = flags.pop("only_test", False)
    return entries(values, Flags(**flags), stated=stated, only_test=only_test)


def test_the_example_of_simvp_minimal_is_a_few_words() -> None:
    """Changing both lengths took 274 characters, and the net was forgotten."""
    assert of(SMALL, frames_in=4, frames_out=6) == [
        "train_dataloader.dataset.num_inputs=4",
        "val_dataloader.dataset.num_inputs=4",
        "test_dataloader.dataset.num_inputs=4",
        "model.net.in_shape=(4, 1, 32, 32)",
        "train_dataloader.dataset.num_targets=6",
        "val_dataloader.dataset.num_targets=6",
        "test_dataloader.dataset.num_targets=6",
    ]
    assert "model.net.in_shape=(4, 1, 48, 48)" in of(SMALL, frames_in=4, size=(48, 48))


def test_a_flag_with_the_value_of_the_config_is_no_override() -> None:
    """A run with the published settings would be marked as a trial."""
    assert of(SMALL, frames_in=10, frames_out=10, epochs=20, batch_size=8, lr=5e-3) == []
    assert of(SMALL, "train_cfg.max_epochs=3", epochs=3) == []


@pytest.mark.parametrize(
    ("stated", "flags"),
    [
        ("train_cfg.max_epochs=3", {"epochs": 4}),
        ("val_dataloader.batch_size=1", {"batch_size": 2}),
        ("model.net.in_shape=(10, 1, 16, 16)", {"frames_in": 4}),
        ("test_dataloader.dataset.root=a", {"data": Path("b")}),
        ("param_scheduler.0.eta_max=1e-4", {"lr": 1e-3}),
        ("train_dataloader.dataset={'type': 'Boiling', 'split': 'train'}", {"frames_in": 4}),
    ],
)
def test_a_flag_that_contradicts_an_override_is_refused(stated: str, flags: dict[str, Any]) -> None:
    """One of two settings would be dropped without a word."""
    with pytest.raises(ConfigError, match=r"contradicts --cfg-options .*give one of them"):
        of(SMALL, stated, **flags)


def test_epochs_keep_the_shape_of_a_schedule_unless_it_is_stated() -> None:
    """A short trial would end in the warm-up, and never reach the rate or its steps."""
    probe, warm = "eurosat/smarties_vit_b_linear_probe", "taxibj/simvp_gsta"
    milestones = "param_scheduler.0.milestones"
    assert of(probe, epochs=10) == ["train_cfg.max_epochs=10", f"{milestones}=[6, 8]"]
    assert of(probe, f"{milestones}=[1, 2]", epochs=10) == ["train_cfg.max_epochs=10"]
    assert of(warm, epochs=10) == ["train_cfg.max_epochs=10", "param_scheduler.0.warmup=1"]
    assert of(warm, epochs=1) == ["train_cfg.max_epochs=1", "param_scheduler.0.warmup=0"]
    fixed = ("+param_scheduler.0.total_steps=20", "param_scheduler.0.by_epoch=True")
    assert of(SMALL, *fixed, epochs=5) == ["train_cfg.max_epochs=5"]
    values = load(SMALL, fixed).to_dict()
    assert of(values, epochs=5)[1:] == ["param_scheduler.0.total_steps=5"]


def test_a_rate_below_the_end_of_a_schedule_is_refused() -> None:
    """The schedule would raise the rate instead of lowering it."""
    with pytest.raises(ConfigError, match=r"below param_scheduler.0.floor=1e-06"):
        of("taxibj/vmrnn_b", lr=1e-7)
    with pytest.raises(ConfigError, match=r"--epochs: .*train_cfg.max_iterations=9"):
        of({"train_dataloader": {}, "train_cfg": {"max_iterations": 9}}, epochs=3)


def test_a_test_takes_other_data_but_no_other_net() -> None:
    """The scores would be those of a net that was never trained."""
    assert of(SMALL, frames_out=6, only_test=True) == ["test_dataloader.dataset.num_targets=6"]
    assert of(SMALL, batch_size=2, only_test=True) == ["test_dataloader.batch_size=2"]
    kth = "kth/convlstm_10to20"
    assert of(kth, size=(64, 64), only_test=True) == ["+test_dataloader.dataset.image_size=64"]
    with pytest.raises(ConfigError, match=r"trained with model.net.in_shape.0=10; train another"):
        of(SMALL, frames_in=6, only_test=True)


def test_a_size_that_the_files_do_not_have_is_an_error(tmp_path: Path) -> None:
    """A net that takes any size would train on frames of another size than was asked for."""
    Boiling.make_toy(tmp_path)
    assert len(Boiling(root=str(tmp_path), split="train", image_size=16)) == 4
    with pytest.raises(DataError, match="the frames have 16 x 16 pixels, but image_size is 32"):
        Boiling(root=str(tmp_path), split="train", image_size=32)
    with pytest.raises(ConfigError, match=r"--size: train_dataloader.dataset.image_size: expected"):
        of(SMALL, size=(32, 48))


def test_a_plugin_takes_part_with_two_attributes() -> None:
    """The flags of a new dataset or net would need a change of this package."""

    class Plugged:
        flag_arguments = {"frames_in": "history", "data": "path"}
        flag_refusals = {"frames_out": "it has one target"}

        def __init__(self, *, path: str = "p", history: int = 2) -> None: ...

    class Narrow(nn.Module):
        flag_arguments = {"frames_in": "shape.0"}

        def __init__(self, *, shape: tuple[int, ...]) -> None: ...

    DATASETS.register_module(module=Plugged)
    MODELS.register_module(module=Narrow)
    try:
        loader = {"dataset": {"type": "Plugged"}, "batch_size": 1}
        config = {"train_dataloader": loader, "model": {"net": {"type": "Narrow", "shape": [2, 9]}}}
        assert of(config, frames_in=5, data=Path("q")) == [
            "+train_dataloader.dataset.path=q",
            "+train_dataloader.dataset.history=5",
            "model.net.shape=[5, 9]",
        ]
        with pytest.raises(ConfigError, match=r"--frames-out does not fit .*: it has one target"):
            of(config, frames_out=2)
    finally:
        del DATASETS._module_dict["Plugged"], MODELS._module_dict["Narrow"]


def test_a_loader_file_is_named_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    """Choosing a loader file took 547 characters."""
    root, other = tmp_path / "boiling data", tmp_path / "0123456789_loaders.json"
    root.mkdir()
    for name in ("0123456789", "98765", "default"):
        (root / f"{name}_loaders.json").touch()
    found = of(SMALL, data=root / "0123")
    assert found[1] == "+train_dataloader.dataset.loaders='0123456789_loaders.json'"
    assert [entry.partition("=")[0].lstrip("+") for entry in found] == [
        f"{stage}_dataloader.dataset.{key}"
        for stage in ("train", "val", "test")
        for key in ("root", "loaders")
    ]
    assert of(SMALL, data=root / "98765_loaders.json")[3].endswith(".loaders='98765_loaders.json'")
    assert len(of(SMALL, data=root)) == 3  # the default is read without a name
    with pytest.raises(
        ConfigError, match=r"no loader file of that name .* has 01234567, 98765, def"
    ):
        of(SMALL, data=root / "typo")
    other.touch()
    with pytest.raises(ConfigError, match="is a file that this config does not read"):
        of("kth/convlstm_10to20", data=other)


def test_the_newest_of_several_loader_files_is_named_in_the_record(tmp_path: Path) -> None:
    """A test of the run, after another split was made, would read other samples."""
    for name, time in (("a", 3e9), ("b", 2e9)):
        (tmp_path / f"{name}_loaders.json").touch()
        os.utime(tmp_path / f"{name}_loaders.json", (time, time))
    with pytest.warns(UserWarning, match=r"has 2 loader files; a_loaders.json is read, the newest"):
        found = of(SMALL, data=tmp_path)
    assert sum(entry.endswith(".loaders=a_loaders.json") for entry in found) == 3
    stated = f"test_dataloader.dataset.root={tmp_path}"
    with pytest.warns(UserWarning, match="the newest"):
        assert of(SMALL, stated) == ["+test_dataloader.dataset.loaders=a_loaders.json"]


PAIRS = "sensor_pairs/smarties_vit_s"


def test_data_moves_two_sets_that_one_folder_holds(tmp_path: Path) -> None:
    """The set for the validation would be read elsewhere, or --data be refused."""
    for name in ("sensor_pairs", "eurosat"):
        (tmp_path / name).mkdir()
    assert of(PAIRS, data=tmp_path) == [
        f"train_dataloader.dataset.root={tmp_path}/sensor_pairs",
        f"val_dataloader.dataset.root={tmp_path}/eurosat",
        f"val_cfg.bank.root={tmp_path}/eurosat",
    ]


def test_data_of_a_training_leaves_a_validation_on_another_set(tmp_path: Path) -> None:
    """A remedy of one message would end in the next error, or a set be moved without a word."""
    kept = [f"{key}.root={tmp_path}" for key in ("val_dataloader.dataset", "val_cfg.bank")]
    assert of(PAIRS, *kept, data=Path("mine")) == ["train_dataloader.dataset.root=mine"]
    with pytest.warns(UserWarning, match=r"stays: val_cfg.bank.root=data/eurosat; --cfg-options"):
        of(PAIRS, kept[0], data=Path("mine"))


def test_a_test_on_another_set_is_not_left_where_it_is() -> None:
    """A test would read the former data, although --data names others."""
    config = {
        f"{stage}_dataloader": {"dataset": {"type": kind, "root": root, "split": stage}}
        for stage, kind, root in (("train", "Boiling", "a/b"), ("test", "KTH", "a/c"))
    }
    with pytest.raises(ConfigError, match=r"train_dataloader.dataset.root=a/b test_dataloader.dat"):
        of(config, data=Path("mine"))
