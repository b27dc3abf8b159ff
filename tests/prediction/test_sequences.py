"""Forecasts of frames without targets."""

from pathlib import Path

import numpy as np
import pytest
import torch

from openstl_ext.datasets.formats.packed import pack_folders
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.prediction.forecasting import array_file, forecast_sequences, frame_files
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.prediction.sequences import holds_frames, open_sequences

from .scenes import forecasting, segmentation

FRAMES = np.random.default_rng(0).random((4, 5, 2, 12, 10), dtype="float32")
SETTINGS = {"num_frames": 3, "horizon": 2, "batch_size": 3}


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(forecasting(), device="cpu")


def expected(predictor: Predictor, frames: np.ndarray) -> np.ndarray:
    """Return the prediction of the method itself."""
    batch = predictor.method.data_preprocessor({"inputs": {"frames": torch.from_numpy(frames)}})
    with torch.inference_mode():
        return predictor.method.answer(batch["inputs"], 2)["forecast"].numpy()


def folders(root: Path, frames: np.ndarray) -> Path:
    """Write one folder per sample."""
    for name, sample in zip("abcd", frames, strict=True):
        (root / name).mkdir(parents=True)
        for t, frame in enumerate(sample):
            np.save(root / name / f"{t + 7}.npy", frame)
    return root


def test_an_array_is_forecast_from_its_newest_frames(tmp_path, predictor):
    """Forecasts would differ from those that were evaluated."""
    np.save(tmp_path / "frames.npy", FRAMES)
    source = open_sequences(tmp_path / "frames.npy")
    with array_file(tmp_path / "forecast.npy", source) as sink:
        forecast_sequences(predictor, source, sink, **SETTINGS)
    found = np.load(tmp_path / "forecast.npy")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(predictor, FRAMES[:, -3:]), atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 2, 12, 10), (5, 12, 10), (1, 5, 2, 12, 10)])
def test_a_forecast_has_the_axes_of_its_input(tmp_path, shape):
    """A single sample would be returned as a set of one."""
    np.savez(
        tmp_path / "frames.npz",
        other=np.zeros(1),
        frames=FRAMES.ravel()[: np.prod(shape)].reshape(shape),
    )
    source = open_sequences(tmp_path / "frames.npz")
    with array_file(tmp_path / "forecast.npy", source) as sink:
        sink(source.names, source.read([0], 3))
    found, axis = np.load(tmp_path / "forecast.npy"), len(shape) == 5
    assert found.shape == (*shape[:axis], 3, *shape[axis + 1 :])


@pytest.mark.parametrize("packed", [False, True])
def test_folders_are_forecast_into_folders(tmp_path, predictor, packed):
    """Forecasts could not be read by figures and packing."""
    root = folders(tmp_path / "data", FRAMES)
    if packed:
        pack_folders(root)
        for folder in root.iterdir():
            if folder.is_dir():
                folder.rename(tmp_path / folder.name)
    source = open_sequences(root)
    assert holds_frames(root)
    (tmp_path / "out").mkdir()
    forecast_sequences(predictor, source, frame_files(tmp_path / "out", source), **SETTINGS)
    found = open_sequences(tmp_path / "out")
    assert found.names == ["a", "b", "c", "d"]
    wanted = expected(predictor, FRAMES[:, -3:])
    np.testing.assert_allclose(found.read(range(4), 2), wanted, atol=1e-6)


def test_a_folder_of_frames_is_one_sample(tmp_path, predictor):
    """The forecast of one sample would be in a subfolder."""
    root = folders(tmp_path, FRAMES) / "b"
    source = open_sequences(root)
    assert holds_frames(root)
    (tmp_path / "out").mkdir()
    forecast_sequences(predictor, source, frame_files(tmp_path / "out", source), **SETTINGS)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"0.npy", "1.npy"}


def test_missing_values_are_replaced_and_pixels_without_data_are_nan(tmp_path, predictor):
    """One NaN would spread through every convolution."""
    frames = FRAMES[:1, :3].copy()
    frames[0, 1, :, 2:4, 2:4] = np.nan
    frames[0, :, :, 8:, :] = np.nan
    np.save(tmp_path / "frames.npy", frames)
    source, found = open_sequences(tmp_path / "frames.npy"), []
    forecast_sequences(predictor, source, lambda _, f: found.append(f), **SETTINGS)
    wanted = expected(predictor, np.nan_to_num(frames))
    assert np.isnan(found[0][..., 8:, :]).all()
    np.testing.assert_allclose(found[0][..., :8, :], wanted[..., :8, :], atol=1e-6)


def test_large_frames_can_be_cut_into_tiles(tmp_path, predictor):
    """Frames larger than GPU memory could not be forecast."""
    frames = FRAMES[:2].repeat(3, axis=-1)
    np.save(tmp_path / "frames.npy", frames)
    source, found = open_sequences(tmp_path / "frames.npy"), []
    forecast_sequences(
        predictor, source, lambda _, f: found.append(f), **SETTINGS, tile=12, overlap=6
    )
    whole = expected(predictor, frames[:, -3:])
    cut = np.concatenate(found)
    assert cut.shape == whole.shape
    np.testing.assert_allclose(
        cut[..., 2:4], whole[..., 2:4], atol=1e-5
    )  # one tile, far from its edge
    assert np.abs(cut - whole).max() > 1e-4


def bad_files(folder: Path) -> dict[str, Path]:
    """Write invalid files; return them by a word of the expected message."""
    arrays = {"(3,)": np.zeros(3), "real": np.zeros((3, 4, 4), complex), "(0,": np.zeros((0, 4, 4))}
    found = {}
    for number, (word, array) in enumerate(arrays.items()):
        found[word] = folder / f"{number}.npy"
        np.save(found[word], array)
    found["one array"] = folder / "two.npz"
    np.savez(found["one array"], a=np.zeros((3, 4, 4)), b=np.zeros((3, 4, 4)))
    found["not a readable"] = folder / "pickled.npy"
    np.save(found["not a readable"], np.array([{}], dtype=object))
    found["no frames at"] = folder / "nowhere.npy"
    (folder / "text.npy").write_text("frames")
    return found


def test_invalid_files_are_rejected_with_their_name(tmp_path):
    """Users would get a traceback of numpy without a file name."""
    for word, path in bad_files(tmp_path).items():
        with pytest.raises(DataError) as error:
            open_sequences(path)
        assert word in str(error.value)
        assert path.name in str(error.value)


def test_samples_of_different_length_or_shape_are_rejected(tmp_path):
    """Forecasts would start from different years, or fail when stacked."""
    root = folders(tmp_path, FRAMES)
    np.save(root / "c" / "9.npy", np.zeros((2, 4, 4)))
    with pytest.raises(DataError, match=r"9.npy has shape \(2, 4, 4\)"):
        open_sequences(root)
    (root / "c" / "11.npy").unlink()
    np.save(root / "c" / "9.npy", FRAMES[0, 0])
    with pytest.raises(DataError, match="has 4 frames"):
        open_sequences(root)


def test_an_error_leaves_no_forecast(tmp_path, predictor, monkeypatch):
    """A file with some of the samples would look complete."""
    np.save(tmp_path / "frames.npy", FRAMES)
    source = open_sequences(tmp_path / "frames.npy")
    read = source.read

    def read_all_but_the_last(indices, num_frames):
        if 3 in indices:
            raise DataError("the disk is gone")
        return read(indices, num_frames)

    monkeypatch.setattr(source, "read", read_all_but_the_last)

    def forecast() -> None:
        with array_file(tmp_path / "forecast.npy", source) as sink:
            forecast_sequences(predictor, source, sink, **SETTINGS)

    with pytest.raises(DataError, match="gone"):
        forecast()
    assert {path.name for path in tmp_path.iterdir()} == {"frames.npy"}


def test_methods_that_predict_classes_cannot_forecast_frames(tmp_path):
    """An array of probabilities would be used as a forecast."""
    np.save(tmp_path / "frames.npy", FRAMES)
    labels = Predictor(segmentation(), device="cpu")
    with pytest.raises(ConfigError, match="classes"):
        forecast_sequences(labels, open_sequences(tmp_path / "frames.npy"), print, **SETTINGS)
