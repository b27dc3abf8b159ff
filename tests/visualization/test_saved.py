"""Reading back what a test run saved."""

import numpy as np
import pytest

from openstl_ext.errors import DataError
from openstl_ext.visualization.saved import SavedFolder, frames_of


def test_frames_come_in_the_order_of_their_numbers(save):
    """As text, 10 comes before 2: a forecast would jump in time."""
    folder = save(times=(12, 1)) / "inputs/00000"
    for t in range(12):
        np.save(folder / f"{t}.npy", np.full((6, 8), t, dtype="float32"))
    assert frames_of(folder)[:, 0, 0, 0].tolist() == list(range(12))


@pytest.mark.parametrize("shape", [(1, 6, 8), (3, 6, 8)])
def test_one_channel_is_two_dimensional_and_more_are_three(save, shape):
    """Folders of simvp_minimal hold (H, W); ours of many channels (C, H, W)."""
    sample = SavedFolder(save(shape=shape)).load("00000")
    assert sample.inputs.shape == (3, *shape)
    assert sample.truth.shape == sample.forecast.shape == (2, *shape)


def test_the_run_or_its_saved_folder_will_do(save):
    """A trailing slash and a work directory crashed OpenSTL's tool."""
    saved = save()
    for path in (saved, saved.parent, f"{saved}/", f"{saved.parent}/"):
        assert SavedFolder(path).sample_ids == ["00000"]
    with pytest.raises(DataError, match="--save-predictions"):
        SavedFolder(saved / "preds")


def test_samples_are_those_that_are_whole_in_natural_order(save):
    """Half a sample must not be drawn as if it were one."""
    for name in ("s10", "s2", "s1"):
        saved = save(name)
    (saved / "preds/s1").rename(saved / "preds/elsewhere")
    assert SavedFolder(saved).sample_ids == ["s2", "s10"]


def test_a_name_may_be_cut_short_if_it_is_clear(save):
    """Names of the boiling data are hashes of 64 digits."""
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
        (np.zeros((6, 9), "float32"), r"1\.npy is \(1, 6, 9\), but 0\.npy is \(1, 6, 8\)"),
        (np.zeros(6, "float32"), r"1\.npy should be \(H, W\)"),
        (np.array([{"a": 1}], dtype=object), r"1\.npy is no array"),
    ],
)
def test_a_frame_that_does_not_fit_is_named(save, content, words):
    """Pickled frames run code when they are opened, so they are refused, too."""
    saved = save()
    np.save(saved / "preds/00000/1.npy", content, allow_pickle=True)
    with pytest.raises(DataError, match=words):
        SavedFolder(saved).load("00000")


def test_truth_and_forecast_must_be_of_one_length(save):
    """A difference of frames that are not of one time means nothing."""
    saved = save()
    (saved / "trues/00000/1.npy").unlink()
    with pytest.raises(DataError, match=r"truth of sample 00000 is \(1, 1, 6, 8\)"):
        SavedFolder(saved).load("00000")
