"""Recipes on imported data: the config has the shape, the lengths and the range of the data."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext.config import Recipe, load
from openstl_ext.datasets.imported_frames.importing import ImportSettings, import_frames
from openstl_ext.datasets.imported_frames.windows import SplitRule
from openstl_ext.errors import ConfigError, DatasetNotFoundError
from openstl_ext.frame_record import FramesRecord, read_record
from openstl_ext.frame_sources import ReadOptions

FRAMES = np.random.default_rng(0).random((6, 8, 2, 16, 24)).astype(np.float32) * 4


def imported(folder: Path, frames: np.ndarray = FRAMES, **settings: Any) -> Path:
    np.save(folder / "source.npy", frames)
    root = folder / "mine"
    root.mkdir()
    chosen = ImportSettings(
        options=ReadOptions(axes="NTCHW", channels=("u", "v"), unit="m/s"),
        rule=SplitRule(length=8),
        window=(5, 3),
        **settings,
    )
    import_frames(folder / "source.npy", root, chosen, name="wind")
    return root


def test_a_recipe_has_the_shape_and_the_normalisation_of_the_data(tmp_path: Path) -> None:
    """Training would end with an error of shapes, or learn from raw values."""
    root = imported(tmp_path)
    cfg = load(Recipe("simvp_gsta", root))
    record = read_record(root)
    assert cfg.identity == "wind/simvp_gsta"
    assert cfg.work_dir == "work_dirs/wind/simvp_gsta/seed_0"
    assert cfg.overrides == []
    assert cfg.model.net.in_shape == [5, 2, 16, 24]
    assert cfg.model.data_preprocessor.mean == [c.mean for c in record.channels]
    assert cfg.model.data_preprocessor.std == [c.std for c in record.channels]
    for split in ("train", "val", "test"):
        dataset = cfg[f"{split}_dataloader"].dataset
        assert dataset == {
            "type": "ImportedFrames",
            "root": str(root),
            "split": split,
            "num_inputs": 5,
            "num_targets": 3,
            "digest": record.digest,
        }
    span = max(c.max for c in record.channels) - min(c.min for c in record.channels)
    scores = {metric.type: metric for metric in cfg.test_evaluator}
    assert scores["PSNR"].data_range == scores["SSIM"].data_range == span
    assert load(Recipe("convlstm", root)).model.net.in_channels == 2


def test_divided_values_are_scored_in_their_range(tmp_path: Path) -> None:
    """PSNR would be that of another range."""
    root = imported(tmp_path, scale="4")
    cfg = load(Recipe("vmrnn_d", root))
    assert "data_preprocessor" not in cfg.model
    assert {"type": "PSNR", "data_range": 1.0, "clip": [0, 1]} in list(cfg.test_evaluator)


def test_channels_of_different_units_select_by_the_first(tmp_path: Path) -> None:
    """Training would stop at its start: channels of two units have no common error."""
    root = imported(tmp_path)
    record = read_record(root)
    record.channels[1].unit = "K"
    (root / "frames.json").write_bytes(record.encoded())
    cfg = load(Recipe("simvp_gsta_small", root))
    assert cfg.default_hooks.checkpoint.save_best == "mse[u]"
    assert "PSNR" not in {metric.type for metric in cfg.test_evaluator}


@pytest.mark.parametrize(
    ("recipe", "size", "multiple", "fitting"),
    [
        ("simvp_gsta", (18, 24), 4, "16x24"),
        ("simvp_gsta_small", (17, 24), 2, "16x24"),
        ("convlstm", (16, 22), 4, "16x20"),
        ("vmrnn_b", (16, 23), 2, "16x22"),
        ("vmrnn_d", (16, 20), 8, "16x16"),
    ],
)
def test_a_size_that_does_not_fit_the_net_is_answered_with_one_that_does(
    tmp_path: Path, recipe: str, size: tuple[int, int], multiple: int, fitting: str
) -> None:
    """A user would have to find out what the net needs."""
    root = imported(tmp_path, np.resize(FRAMES, (6, 8, 2, *size)), scale="minmax")
    with pytest.raises(ConfigError, match=f"needs multiples of {multiple}; .*--crop {fitting}"):
        load(Recipe(recipe, root))


def test_an_override_may_make_the_net_fit(tmp_path: Path) -> None:
    """The message would refuse a net that works."""
    root = imported(tmp_path, FRAMES[..., :14, :])
    with pytest.raises(ConfigError, match="multiples of 4"):
        load(Recipe("simvp_gsta", root))
    load(Recipe("simvp_gsta", root), ["model.net.num_spatial_blocks=2"])


def test_a_net_with_a_sigmoid_needs_values_from_0_to_1(tmp_path: Path) -> None:
    """VMRNN would be trained on values that it cannot predict."""
    root = imported(tmp_path)
    with pytest.raises(ConfigError, match=r"from 0 to 1, .*'standard'; import .*--scale minmax"):
        load(Recipe("vmrnn_b", root))


def test_an_unknown_recipe_or_folder_is_answered_with_the_next_step(tmp_path: Path) -> None:
    """A user would search for the names of recipes."""
    with pytest.raises(ConfigError, match="did you mean 'simvp_gsta"):
        load(Recipe("simvp_gst", tmp_path))
    with pytest.raises(DatasetNotFoundError, match="openstl-ext data import SOURCE --out"):
        load(Recipe("simvp_gsta", tmp_path))


def test_the_digest_depends_on_the_data_and_not_on_their_place(tmp_path: Path) -> None:
    """A moved import would be refused, or a changed one accepted."""
    record = read_record(imported(tmp_path))
    moved = record.encoded().replace(str(tmp_path).encode(), b"/elsewhere")
    other = record.encoded().replace(b'"standard"', b'"minmax"')
    import msgspec

    digests = [msgspec.json.decode(c, type=FramesRecord).digest for c in (moved, other)]
    assert digests[0] == record.digest != digests[1]
