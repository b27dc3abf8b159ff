"""Reading the samples that a test run saved."""

import numpy as np
import pytest

from openstl_ext.errors import DataError
from openstl_ext.visualization.drawing import draw_saved
from openstl_ext.visualization.saved import SavedFolder, frames_of


def test_frames_are_in_the_order_of_their_numbers(save):
    """In text order 10 is before 2, so a forecast would jump in time."""
    folder = save(times=(12, 1)) / "inputs/00000"
    for t in range(12):
        np.save(folder / f"{t}.npy", np.full((6, 8), t, dtype="float32"))
    assert frames_of(folder)[:, 0, 0, 0].tolist() == list(range(12))


@pytest.mark.parametrize("shape", [(1, 6, 8), (3, 6, 8)])
def test_one_channel_is_two_dimensional_and_more_are_three(save, shape):
    """Folders of simvp_minimal, with frames (H, W), could not be read."""
    sample = SavedFolder(save(shape=shape)).load("00000")
    assert sample.inputs.shape == (3, *shape)
    assert sample.target.shape == sample.forecast.shape == (2, *shape)


def test_a_work_directory_and_its_saved_folder_are_accepted(save):
    """A trailing slash would be an error, as in OpenSTL."""
    saved = save()
    for path in (saved, saved.parent, f"{saved}/", f"{saved.parent}/"):
        assert SavedFolder(path).sample_ids == ["00000"]
    with pytest.raises(DataError, match="--save-predictions"):
        SavedFolder(saved / "preds")


def test_complete_samples_are_listed_in_natural_order(save):
    """A sample without its forecast would be drawn."""
    for name in ("s10", "s2", "s1"):
        saved = save(name)
    (saved / "preds/s1").rename(saved / "preds/elsewhere")
    assert SavedFolder(saved).sample_ids == ["s2", "s10"]


def test_the_beginning_of_a_name_is_enough_if_it_is_unique(save):
    """Names of the boiling data begin with a hash of 64 digits."""
    for name in ("3f2a_boiling_0", "3f2b_boiling_1", "77_boiling_2"):
        saved = save(name)
    folder = SavedFolder(saved)
    assert folder.find("77") == "77_boiling_2"
    with pytest.raises(DataError, match="2 samples start with '3f2'"):
        folder.find("3f2")
    with pytest.raises(DataError, match=r"did you mean .*'3f2b_boiling_1'"):
        folder.find("3f2c_boiling_1")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.zeros((6, 9), "float32"), r"1\.npy has shape \(1, 6, 9\), but 0\.npy has \(1, 6, 8\)"),
        (np.zeros(6, "float32"), r"1\.npy has shape \(6,\), expected \(H, W\)"),
        (np.array([{"a": 1}], dtype=object), r"1\.npy is not an array"),
    ],
)
def test_a_frame_that_does_not_fit_is_named(save, content, words):
    """Pickled frames would run code when they are read."""
    saved = save()
    np.save(saved / "preds/00000/1.npy", content, allow_pickle=True)
    with pytest.raises(DataError, match=words):
        SavedFolder(saved).load("00000")


def test_target_and_forecast_must_have_one_length(save):
    """Frames of different times would be compared."""
    saved = save()
    (saved / "trues/00000/1.npy").unlink()
    with pytest.raises(DataError, match=r"target of sample 00000 has shape \(1, 1, 6, 8\)"):
        SavedFolder(saved).load("00000")


def stacks(folder, **changed):
    """Write the stacks of OpenSTL: 11 samples, 3 inputs, 2 targets, one channel."""
    rng = np.random.default_rng(0)
    arrays = {
        kind: rng.random((11, length, 1, 6, 8), np.float32)
        for kind, length in (("inputs", 3), ("trues", 2), ("preds", 2))
    }
    folder.mkdir(exist_ok=True)
    for kind, array in (arrays | changed).items():
        np.save(folder / f"{kind}.npy", array, allow_pickle=True)
    return arrays


def test_the_stacks_of_openstl_are_read_sample_by_sample(tmp_path):
    """Forecasts of OpenSTL could not be drawn."""
    arrays = stacks(tmp_path / "saved")
    for path in (tmp_path, tmp_path / "saved"):
        folder = SavedFolder(path)
        assert folder.sample_ids == [str(index) for index in range(11)]
        sample = folder.load(folder.find("1"))
        assert np.array_equal(sample.inputs, arrays["inputs"][1])
        assert np.array_equal(sample.target, arrays["trues"][1])
        assert np.array_equal(sample.forecast, arrays["preds"][1])
    assert draw_saved(folder, "10").png().startswith(b"\x89PNG")
    with pytest.raises(DataError, match="no sample '11'"):
        folder.find("11")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"trues": np.zeros((10, 2, 1, 6, 8), "float32")}, "different numbers of samples"),
        (
            {"trues": np.zeros((11, 6, 8), "float32")},
            r"trues\.npy is float32 of shape \(11, 6, 8\)",
        ),
        ({"preds": np.array([{"a": 1}], dtype=object)}, r"preds\.npy is not an array"),
    ],
)
def test_stacks_that_do_not_fit_are_named(tmp_path, changed, words):
    """The forecast of one sample would be drawn beside the target of another."""
    stacks(tmp_path, **changed)
    with pytest.raises(DataError, match=words):
        SavedFolder(tmp_path)


def test_a_missing_stack_is_named(tmp_path):
    """Users would see a traceback."""
    stacks(tmp_path)
    (tmp_path / "inputs.npy").unlink()
    with pytest.raises(DataError, match=r"inputs\.npy"):
        SavedFolder(tmp_path)
