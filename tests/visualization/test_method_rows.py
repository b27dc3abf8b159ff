"""Several methods on one sample."""

import json
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.errors import DataError, UserError
from openstl_ext.visualization.compared import (
    Compared,
    compare_saved,
    each_compared,
    method_names,
)
from openstl_ext.visualization.method_rows import draw_methods
from openstl_ext.visualization.saved import SavedFolder, SavedSample


@pytest.fixture
def runs(tmp_path: Path) -> list[SavedFolder]:
    """Two methods on the same two samples; the second is better."""
    draw = np.random.default_rng(0)
    found = []
    frames = {name: draw.uniform(0, 1, (5, 6, 8)).astype("float32") for name in ("s1", "s2")}
    for number, config in enumerate(("toy/a", "toy/b")):
        for name, all_of in frames.items():
            forecast = all_of[3:] + np.float32(0.5 - 0.4 * number)
            parts = {"inputs": all_of[:3], "trues": all_of[3:], "preds": forecast}
            for kind, arrays in parts.items():
                folder = tmp_path / f"run{number}/saved" / kind / name
                folder.mkdir(parents=True)
                for t, array in enumerate(arrays):
                    np.save(folder / f"{t}.npy", array)
        about = {"config": config, "seed": 0, "unit": "K"}
        (tmp_path / f"run{number}/saved/about.json").write_text(json.dumps(about))
        found.append(SavedFolder(tmp_path / f"run{number}"))
    return found


def words(page) -> list[str]:
    return [text.get_text() for text in page.axes.texts]


def test_each_method_has_a_row_with_its_errors(runs: list[SavedFolder]) -> None:
    """A reader would compare a forecast with the error of another one."""
    page = draw_methods(compare_saved(runs, "s1"))
    panels = page.axes.images
    assert len(panels) == 3 + 2 + 2 * 2
    sample = compare_saved(runs, "s1").frames
    for number, name in enumerate(("toy/a", "toy/b")):
        for step in range(2):
            shown = panels[5 + 2 * number + step].get_array()
            np.testing.assert_array_equal(shown, sample[name].forecast[step, 0])
    assert words(page).count("0.25") == 2
    assert words(page).count("0.01") == 2
    tops = {t.get_text(): t.get_position()[1] for t in page.axes.texts}
    assert (
        tops["inputs"] < tops["truth"] < tops["toy/a"] < tops["0.25"] < tops["toy/b"] < tops["0.01"]
    )


def test_all_methods_share_one_scale(runs: list[SavedFolder]) -> None:
    """A forecast with a bias looks right on a scale of its own."""
    page = draw_methods(compare_saved(runs, "s1"), differences=True)
    panels = page.axes.images
    signed = [p for p in panels if p.norm.vmin == -p.norm.vmax]
    assert len(signed) == 4
    assert {round(p.norm.vmax, 5) for p in signed} == {0.5}
    assert len({(p.norm.vmin, p.norm.vmax) for p in panels if p not in signed}) == 1


def test_gaps_have_their_own_colour_and_the_share_of_known_pixels(runs) -> None:
    """An error of few pixels would look as reliable as one of all."""
    found = compare_saved(runs, "s1")
    for sample in found.frames.values():
        sample.target[0, 0, :3] = np.nan
    page = draw_methods(found)
    assert "no data" in words(page)
    assert words(page).count("50 %") == 2
    assert page.axes.images[3].get_array().mask[:3].all()


def test_channels_steps_and_shapes_are_arbitrary() -> None:
    """A data set of another shape would have no picture."""
    draw = np.random.default_rng(0)
    frames = draw.uniform(size=(30, 2, 3, 40)).astype("float32")
    samples = {name: SavedSample("s", frames[:4], frames[4:17], frames[17:]) for name in "abc"}
    page = draw_methods(Compared({}, samples), most_columns=5)
    # a stride of three from the last step
    assert len(page.axes.images) == 2 * (4 + 5 + 3 * 5)
    assert "5 of 13 forecast steps are shown" in " ".join(words(page))


def test_methods_of_other_data_are_refused(runs: list[SavedFolder]) -> None:
    """Two forecasts of different days would be compared."""
    for folder in sorted((runs[1].path / "trues/s1").iterdir()):
        np.save(folder, np.load(folder) + 1)
    with pytest.raises(DataError, match="is another one than in"):
        compare_saved(runs, "s1")
    assert compare_saved(runs, "s2").first.name == "s2"
    (runs[1].path / "preds/s2").rename(runs[1].path / "preds/s3")
    with pytest.raises(DataError, match="has other samples"):
        list(each_compared(runs))


def test_methods_have_distinct_names(runs: list[SavedFolder]) -> None:
    """Two seeds of one config would have the same name."""
    assert method_names(runs) == ["toy/a", "toy/b"]
    for folder, seed in zip(runs, (0, 1), strict=True):
        (folder.path / "about.json").write_text(json.dumps({"config": "toy/a", "seed": seed}))
    assert method_names(runs) == ["toy/a, seed 0", "toy/a, seed 1"]
    (runs[1].path / "about.json").write_text(json.dumps({"config": "toy/a", "seed": 0}))
    assert method_names(runs) == [f"toy/a ({folder.path})" for folder in runs]
    with pytest.raises(UserError, match="given twice"):
        method_names([runs[0], runs[0]])
