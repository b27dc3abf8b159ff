"""From rasters with gaps to a record, calibrated intervals and maps of future years."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from openstl_ext.calibration import Calibration
from openstl_ext.config import load
from openstl_ext.datasets.human_modification.dataset import HumanModification
from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import build
from openstl_ext.prediction.request import Request, predict
from openstl_ext.results.board import board_of
from openstl_ext.results.record import Record
from tests.engine.resume_scenarios import log_of, run_scenarios
from tests.quick_timing import QUICK_TIMING
from tests.small_recipe import shrink, toy_set

CONFIG = Path(__file__).parents[2] / "configs/human_modification/small/quantile_convlstm.py"
QUANTILES = ("central", "lower", "upper", "lower_calibrated", "upper_calibrated")
YEARS = (2025, 2030, 2035, 2040)


def recipe(work_dir: Path) -> Any:
    cfg = shrink(load(CONFIG, work_dir=work_dir))
    cfg.train_cfg.max_epochs = 1
    return cfg


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the work directory of a small recipe, trained for one epoch and tested."""
    work_dir = tmp_path_factory.mktemp("hm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*QUICK_TIMING)
        runner = build(recipe(work_dir))
        runner.train()
        runner.test()
    return work_dir


@pytest.mark.slow
def test_scores_have_the_number_of_their_pixels(tested: Path) -> None:
    """A score from ten valid pixels would look like one of a continent."""
    record = Record.read(tested / "result.json")
    cfg = recipe(tested)
    dataset = HumanModification(
        **{k: v for k, v in cfg.test_dataloader.dataset.items() if k != "type"}
    )
    counted = sum(dataset[i]["data_samples"]["valid"].sum((1, 2, 3)) for i in range(len(dataset)))
    for lead, count in enumerate(counted.tolist(), start=1):
        assert record.metrics[f"valid_pixels@{lead}"] == count
        assert record.about["mae"]["num_valid"][lead - 1] == count
        assert record.metrics[f"mae@{lead}"] > 0
    assert (
        0
        < record.metrics["valid_pixels"]
        < dataset[0]["data_samples"]["valid"].numel() * len(dataset)
    ), "there are no gaps, so nothing is tested"
    for scores in record.baselines.values():
        assert scores["valid_pixels"] == record.metrics["valid_pixels"]
        assert scores["mae@4"] > 0


def test_baselines_are_rows_of_the_table(tested: Path) -> None:
    """A net could be published that is worse than persistence."""
    (table,) = board_of([tested], ["mae", "coverage", "valid_pixels"]).tables
    labels = {row.label for row in table.rows}
    recipe_name = next(row.name for row in table.rows if not row.is_baseline)
    baselines = {"Persistence", "LinearExtrapolation"}
    assert labels == {*baselines, recipe_name, f"{recipe_name} + conformal"}


def test_a_region_becomes_a_map_per_year_and_quantile(tested: Path, tmp_path: Path) -> None:
    """Trained nets could not be applied to future years."""
    cfg, root = recipe(tested), toy_set("HumanModification")
    best = checkpoint.best(tested)
    margin = Calibration.read(tested / "calibration.json")
    assert Path(margin.about["checkpoint"]).name == best.name
    request = Request(
        source=root, out=tmp_path / "maps", region=root / "region.geojson", device="cpu"
    )
    message = predict(cfg, best, request)
    assert "widened by" in message
    names = {f"{root.stem}_{year}_{kind}.tif" for year in YEARS for kind in QUANTILES}
    assert {path.name for path in request.out.glob("*.tif")} == names
    for year, wide in zip(YEARS, margin.margins, strict=True):
        found = {}
        for kind in QUANTILES:
            with rasterio.open(request.out / f"{root.stem}_{year}_{kind}.tif") as file:
                assert np.isnan(file.nodata)
                assert file.crs.to_epsg() == 6933
                found[kind] = file.read(1)
        known = np.isfinite(found["central"])
        assert known.any()
        assert not known.all(), "the region is a quadrilateral in degrees, and has a coast"
        for values in found.values():
            assert np.array_equal(np.isfinite(values), known)
            assert values[known].min() >= 0
            assert values[known].max() <= 1
        inside = known & (found["upper"] < 1) & (found["upper_calibrated"] < 1)
        inside &= (found["upper"] > 0) & (found["upper_calibrated"] > 0)
        gained = (found["upper_calibrated"] - found["upper"])[inside]
        np.testing.assert_allclose(gained, wide, atol=1e-5)
        assert (found["lower"] <= found["upper"])[known].all()


@pytest.mark.slow
def test_two_ranks_have_the_margins_and_scores_of_one(tmp_path: Path) -> None:
    """Coverage and maps would depend on the number of GPUs."""
    cfg = recipe(tmp_path)
    options = {
        "model": {"_delete_": True, **cfg.model.to_dict()},
        **{
            f"{stage}_dataloader.dataset": {
                "_delete_": True,
                **cfg[f"{stage}_dataloader"].dataset.to_dict(),
            }
            for stage in ("train", "val", "test")
        },
        "test_evaluator": [metric.to_dict() for metric in cfg.test_evaluator],
        "custom_hooks": [
            {"type": "ConformalCalibrationHook", "dataset": {"split": "calibration"}},
        ],
    }
    alone, shared = tmp_path / "on_1", tmp_path / "on_2"
    codes = run_scenarios(
        {
            alone: [{"options": options, "test": True}],
            shared: [{"options": options, "test": True, "ranks": 2}],
        }
    )
    assert codes == {alone: [[0]], shared: [[0, 0]]}, log_of(shared)
    one = json.loads((alone / "scores_1.json").read_text())
    assert one == json.loads((shared / "scores_2.json").read_text())
    assert {"mae", "mae@4", "bias", "coverage", "valid_pixels"} <= set(one)
    first, second = (Calibration.read(path / "calibration.json") for path in (alone, shared))
    assert first == second
    assert all(np.isfinite(first.margins))
