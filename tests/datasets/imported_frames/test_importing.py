"""Import of frames: values, statistics, copies, and what is refused."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext.datasets.imported_frames import ImportedFrames
from openstl_ext.datasets.imported_frames.importing import (
    ImportSettings,
    import_frames,
    lead_of,
    scaling_of,
)
from openstl_ext.datasets.imported_frames.windows import SplitRule
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.frame_record import FramesRecord
from openstl_ext.frame_sources import FrameSequence, ReadOptions

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (5, 8, 2, 6, 10), np.uint8)
KELVIN = (RNG.normal(size=(5, 8, 2, 6, 10)) + 280).astype(np.float32)


def imported(folder: Path, array: np.ndarray, **settings: Any) -> tuple[FramesRecord, Path]:
    np.save(folder / "source.npy", array)
    root = folder / "mine"
    root.mkdir(exist_ok=True)
    chosen = ImportSettings(
        options=ReadOptions(axes="NTCHW", nodata=settings.pop("nodata", None)),
        rule=SplitRule(length=4, **settings.pop("rule", {})),
        window=(3, 1),
        **settings,
    )
    return import_frames(folder / "source.npy", root, chosen, name="mine"), root


def training_frames(record: FramesRecord, array: np.ndarray) -> np.ndarray:
    chosen = np.zeros(array.shape[:2], bool)
    for sequence, first in record.splits["train"]:
        chosen[sequence, first : first + 4] = True
    return array[chosen].astype(np.float64)


@pytest.mark.parametrize("copy", [False, True])
def test_samples_are_the_frames_of_the_source(tmp_path: Path, copy: bool) -> None:
    """A net would be trained on other frames, or frames of another sequence."""
    record, root = imported(tmp_path, KELVIN, copy=copy)
    assert (root / "frames.npy").exists() == record.packed == copy
    dataset = ImportedFrames(root=str(root), split="val")
    sequence, first = record.splits["val"][0]
    item = dataset[0]
    np.testing.assert_array_equal(item["inputs"]["frames"], KELVIN[sequence, first : first + 3])
    np.testing.assert_array_equal(item["data_samples"]["frames"], KELVIN[sequence, [first + 3]])
    assert "valid" not in item["inputs"]
    assert dataset.sample_id(0) == f"{sequence:05d}-{first:06d}"
    item["inputs"]["frames"].zero_()  # a later item must not change
    np.testing.assert_array_equal(
        dataset[0]["inputs"]["frames"], KELVIN[sequence, first : first + 3]
    )


def test_statistics_are_those_of_the_training_windows(tmp_path: Path) -> None:
    """Validation and test would leak into the normalisation."""
    record, _ = imported(tmp_path, KELVIN)
    frames = training_frames(record, KELVIN)
    for k, channel in enumerate(record.channels):
        assert channel.mean == pytest.approx(frames[:, k].mean(), rel=1e-9)
        assert channel.std == pytest.approx(frames[:, k].std(), rel=1e-6)
        assert (channel.min, channel.max) == (frames[:, k].min(), frames[:, k].max())
    assert record.scaling == "standard"
    assert record.normalisation == (
        [c.mean for c in record.channels],
        [c.std for c in record.channels],
    )


def test_bytes_are_divided_only_as_stated(tmp_path: Path) -> None:
    """A net would be trained on values up to 255, or on values that were scaled twice."""
    with pytest.raises(DataError, match=r"whole numbers \(uint8\).*--scale 255 .*--scale none"):
        imported(tmp_path, BYTES)
    record, root = imported(tmp_path, BYTES, scale="255", copy=True)
    assert np.load(root / "frames.npy").dtype == np.uint8
    dataset = ImportedFrames(root=str(root), split="train")
    sequence, first = record.splits["train"][0]
    np.testing.assert_array_equal(
        dataset[0]["inputs"]["frames"],
        BYTES[sequence, first : first + 3].astype(np.float32) / np.float32(255),
    )
    assert dataset.metainfo.unit == "0-1"
    assert record.normalisation is None
    with pytest.raises(
        DataError, match=r"reach from 0 to 255, so --scale 100 does not give 0 to 1"
    ):
        imported(tmp_path, BYTES, scale="100")
    record, _ = imported(tmp_path, BYTES, scale="minmax")
    assert record.normalisation == ([0, 0], [255, 255])


@pytest.mark.parametrize("copy", [False, True])
def test_missing_values_have_a_mask(tmp_path: Path, copy: bool) -> None:
    """NaN would spread into weights, or a fill value would be learned."""
    array = KELVIN.copy()
    array[:, 2, 0, 1, 3] = np.nan
    record, root = imported(tmp_path, array, copy=copy)
    assert record.has_missing
    assert record.channels[0].missing > 0 == record.channels[1].missing
    for index, (_, first) in enumerate(record.splits["train"]):
        item = ImportedFrames(root=str(root), split="train")[index]
        missing = np.argwhere(~item["inputs"]["valid"].numpy()).tolist()
        assert missing == ([[2, 0, 1, 3]] if first == 0 else [])
        assert item["data_samples"]["valid"].all()


def test_a_copy_of_whole_numbers_with_late_gaps_keeps_the_gaps(tmp_path: Path) -> None:
    """A gap would become 0, or the import would end with an error of numpy."""
    array = BYTES.astype(np.int16)
    array[-1, -1, 1, 2, 2] = -999
    record, root = imported(tmp_path, array, scale="minmax", nodata=-999, copy=True)
    copy = np.load(root / "frames.npy")
    assert copy.dtype == np.float32
    assert np.argwhere(np.isnan(copy)).tolist() == [[39, 1, 2, 2]]
    assert record.has_missing


def test_a_changed_source_is_an_error(tmp_path: Path) -> None:
    """Splits and statistics would be those of other data."""
    _, root = imported(tmp_path, KELVIN)
    source = tmp_path / "source.npy"
    ImportedFrames(root=str(root), split="train")
    os.utime(source)  # a copy with another time has the same content
    ImportedFrames(root=str(root), split="train")
    np.save(source, KELVIN + 1)
    with pytest.raises(DataError, match=r"source\.npy: has changed since it was imported"):
        ImportedFrames(root=str(root), split="train")
    source.unlink()
    with pytest.raises(DataError, match=r"source\.npy: this file of the import is missing"):
        ImportedFrames(root=str(root), split="train")


def test_windows_may_be_shortened_but_not_extended(tmp_path: Path) -> None:
    """A longer window would reach into the next split."""
    record, root = imported(tmp_path, KELVIN)
    item = ImportedFrames(root=str(root), split="test", num_inputs=2, num_targets=1)[0]
    assert len(item["inputs"]["frames"]) == 2
    with pytest.raises(ConfigError, match=r"import again with --window 4\+4"):
        ImportedFrames(root=str(root), split="test", num_inputs=4, num_targets=4)
    with pytest.raises(ConfigError, match="but this config is for 0123"):
        ImportedFrames(root=str(root), split="test", digest="0123")
    ImportedFrames(root=str(root), split="test", digest=record.digest)


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        (np.inf, {}, "frames 0 to 7: has infinite values"),
        (None, {"crop": (8, 4)}, r"6 x 10 pixels .*--crop 8x4 is no part"),
        (None, {"scale": "big"}, "--scale big: expected a number above 0"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, change: float | None, settings: dict[str, Any], message: str
) -> None:
    """Training would end with a loss of NaN, or an error of torch."""
    array = KELVIN.copy()
    if change is not None:
        array[0, 0, 0, 0, 0] = change
    with pytest.raises(DataError, match=message):
        imported(tmp_path, array, **settings)


def test_a_constant_channel_cannot_be_scaled(tmp_path: Path) -> None:
    """The normalised values would be NaN."""
    array = KELVIN.copy()
    array[:, :, 1] = 3
    with pytest.raises(DataError, match="channel 1 is 3 in all training frames"):
        imported(tmp_path, array)
    imported(tmp_path, array, scale="none")
    array[:, :, 1] = np.nan
    with pytest.raises(DataError, match="channel 1 has no value in the training frames"):
        imported(tmp_path, array, scale="none")


def test_the_central_part_is_cropped(tmp_path: Path) -> None:
    """Targets would be shifted against inputs of another import."""
    for copy in (False, True):
        record, root = imported(tmp_path, KELVIN, crop=(4, 8), copy=copy)
        sequence, first = record.splits["test"][0]
        frames = ImportedFrames(root=str(root), split="test")[0]["inputs"]["frames"]
        np.testing.assert_array_equal(frames, KELVIN[sequence, first : first + 3, :, 1:5, 1:9])


def test_the_time_step_is_that_of_the_times() -> None:
    """Scores and pictures would state another lead time."""

    def sequence(step: str, count: int = 4) -> FrameSequence:
        times = np.arange(count) * np.timedelta64(
            int(step.split()[0]), step.split()[1]
        ) + np.datetime64("2020-01-01")
        return FrameSequence(name="a", num_frames=count, times=times.astype("datetime64[s]"))

    assert lead_of((sequence("6 h"),)) == (6, "h")
    assert lead_of((sequence("48 h"),)) == (2, "d")
    assert lead_of((sequence("90 s"),)) == (90, "s")
    assert lead_of((sequence("30 m"), sequence("30 m"))) == (30, "min")
    assert lead_of((sequence("30 m"), sequence("10 m"))) == (1, "frame")
    assert lead_of((FrameSequence(name="a", num_frames=3),)) == (1, "frame")


def test_decimal_numbers_are_standardised_by_default() -> None:
    """Temperatures in kelvin would enter a net as 280."""
    assert scaling_of(None, np.dtype("f4"), Path("a")) == ("standard", 1)
    assert scaling_of("65535", np.dtype("u2"), Path("a")) == ("number", 65535)
    with pytest.raises(DataError, match="add --scale 65535 to divide by 65535"):
        scaling_of(None, np.dtype("u2"), Path("a"))
