"""Runs on images with one class or several labels: record, table, saved labels and figure."""

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import build
from openstl_ext.errors import DataError
from openstl_ext.hooks.scene_labels import SceneLabels
from openstl_ext.results.record import Record
from openstl_ext.results.table import tables_of
from openstl_ext.visualization.drawing import draw_all_labels
from openstl_ext.visualization.saved import SavedFolder
from openstl_ext.visualization.saved_scenes import SavedScenes
from tests.engine import toy_images
from tests.quick_timing import QUICK_TIMING


@pytest.fixture(scope="module", params=[False, True], ids=["one class", "several labels"])
def tested(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bool]:
    """Test an untrained net; returns the work directory and whether labels are several."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*QUICK_TIMING)
        build(toy_images.config(folder, several=request.param), train=False).test()
    return folder, request.param


def test_the_record_and_the_table_have_the_scores_of_classes(tested) -> None:
    """A scene classification would have no result."""
    folder, several = tested
    record = Record.read(folder / "result.json")
    name = "average_precision_macro" if several else "average_accuracy"
    assert {name, f"{name}[water]"} <= set(record.metrics)
    about = record.about[name]
    assert about["classes"] == list(toy_images.CLASSES)
    assert (about["num_samples"], about["num_unscored_samples"]) == (10, 1)
    assert about["num_unscored_classes"] == 0
    low, high = about["interval"]
    assert low <= record.metrics[name] <= high
    assert set(about["intervals"]) == set(toy_images.CLASSES)
    record = replace(record, training={"seed": 0})  # weights of unknown training are never best
    (table,) = tables_of([record], [f"{name}[*"])
    assert table.metrics == tuple(f"{name}[{c}]" for c in toy_images.CLASSES)
    assert table.best(f"{name}[water]") == record.metrics[f"{name}[water]"]
    assert table.predicts_labels


def test_saved_labels_give_the_scores_of_the_run(tested) -> None:
    """Figures and table would be made from different labels."""
    folder, several = tested
    saved = SavedFolder(folder)
    assert sorted(p.name for p in saved.path.iterdir()) == [
        *("about.json", "metrics.json", "metrics.npy"),
        *("preds.npy", "probs.npy", "samples.json", "trues.npy"),
    ]
    assert saved.holds_scenes
    assert saved.sample_ids == [f"test-{index}" for index in range(10)]
    scenes = SavedScenes.read(saved)
    dataset = toy_images.ToyImages(split="test", num_samples=10, several=several)
    for index in range(10):
        expected = dataset[index]["data_samples"]["labels"].numpy()
        np.testing.assert_array_equal(scenes.target[index], -1 if index == 1 else expected)
    assert scenes.probability.shape == (10, 3)
    known = scenes.target >= 0
    scores = json.loads((saved.path / "metrics.json").read_text())
    if several:
        hits = ((scenes.target == 1) & (scenes.labels == 1)).sum()
        both = (scenes.target == 1).sum() + (scenes.labels == 1)[known].sum()
        assert scores["f1_micro"] == pytest.approx(2 * hits / both)
    else:
        right = (scenes.target == scenes.labels)[known].mean()
        assert scores["overall_accuracy"] == pytest.approx(right)


def test_all_labels_are_drawn_in_one_figure(tested) -> None:
    """There is no map to draw."""
    folder, several = tested
    page = draw_all_labels(SavedFolder(folder))
    texts = [text.get_text() for text in page.axes.texts]
    assert "toy/run" in texts
    assert set(toy_images.CLASSES) <= set(texts)
    assert ("recall" in texts, "n" in texts) == (several, not several)


@pytest.mark.parametrize(
    ("several", "score"), [(False, "average_accuracy"), (True, "average_precision_macro[water]")]
)
def test_the_best_checkpoint_is_chosen_by_a_score_of_classes(
    tmp_path: Path, several: bool, score: str
) -> None:
    """The last checkpoint would be the best one."""
    hooks = {"default_hooks.checkpoint": {"save_best": score}, "custom_hooks": []}
    run = build(toy_images.config(tmp_path, several=several, **hooks))
    run.train()
    assert checkpoint.best(tmp_path).is_file()


def test_two_samples_with_one_id_are_an_error(tmp_path: Path) -> None:
    """One label would be written for both."""
    with pytest.raises(DataError, match="two test samples have the id 'a'"):
        SceneLabels().write(tmp_path, ["a", "b", "a"])


def test_ranks_are_put_into_the_order_of_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels would be saved under the names of other samples."""
    ranks = [SceneLabels(), SceneLabels()]
    for index in range(5):
        row = tuple(np.array(value) for value in (index, index, [index, 0.0]))
        ranks[index % 2].rows.append((f"s{index}", row))
    rows = [rank.rows for rank in ranks]
    monkeypatch.setattr("openstl_ext.hooks.scene_labels.all_gather_object", lambda _: rows)
    ranks[0].gather()
    ranks[0].write(tmp_path, [f"s{index}" for index in range(5)])
    assert np.load(tmp_path / "trues.npy").tolist() == [0, 1, 2, 3, 4]
    assert np.load(tmp_path / "probs.npy")[:, 0].tolist() == [0, 1, 2, 3, 4]
