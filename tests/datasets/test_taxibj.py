"""TaxiBJ: one npz, mapped to [0, 1]."""

from pathlib import Path

import numpy as np
import pytest
import torch

from openstl_ext.datasets.synthetic.taxibj import FILE
from openstl_ext.datasets.taxibj import TaxiBJ
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError

SHAPE = (30, 4, 2, 32, 32)


@pytest.fixture
def root(tmp_path: Path) -> str:
    TaxiBJ.make_toy(tmp_path)
    return str(tmp_path)


def rewrite(root: str, **changed: np.ndarray | None) -> None:
    """Change or drop arrays of the file."""
    with np.load(Path(root) / FILE) as arrays:
        merged = {**arrays, **changed}
    np.savez(Path(root) / FILE, **{k: v for k, v in merged.items() if v is not None})


def test_values_become_shares_of_the_training_range(root: str) -> None:
    """If this fails, scores are four times what is published."""
    with np.load(Path(root) / FILE) as arrays:
        past, future = arrays["X_train"][3], arrays["Y_train"][3]
    item = TaxiBJ(root=root, split="train")[3]
    for field, stored in (("inputs", past), ("data_samples", future)):
        assert item[field]["frames"].shape == (4, 2, 32, 32)
        assert item[field]["frames"].dtype == torch.float32
        np.testing.assert_allclose(item[field]["frames"], (stored + 1) / 2, atol=1e-7)


def test_validation_is_the_end_of_training(root: str) -> None:
    """If this fails, the best weights are chosen on what was trained on, or on the test."""
    with np.load(Path(root) / FILE) as arrays:
        stored = torch.from_numpy(arrays["X_train"])
        tested = torch.from_numpy(arrays["X_test"])
    train, val, test = (TaxiBJ(root=root, split=split) for split in ("train", "val", "test"))
    assert (len(train), len(val), len(test)) == (27, 3, 6)
    for dataset, windows in ((train, stored[:27]), (val, stored[27:]), (test, tested)):
        for index, window in enumerate(windows):
            assert torch.equal(dataset[index]["inputs"]["frames"], (window + 1) / 2)
    assert len(TaxiBJ(root=root, split="train", val_fraction=0)) == 30


def test_large_files_are_read_in_pieces_and_doubles_are_taken(root: str) -> None:
    """If this fails, windows beyond the first block are other windows."""
    values = (
        np.linspace(-1, 1, 600, dtype=np.float64).repeat(4 * 2 * 32 * 32).reshape(600, *SHAPE[1:])
    )
    rewrite(root, X_train=values, Y_train=-values)
    val = TaxiBJ(root=root, split="val", val_fraction=0.6)
    assert len(val) == 360
    for index in (0, 15, 16, 359):
        share = float(val[index]["inputs"]["frames"].mean())
        assert share == pytest.approx((240 + index) / 599, abs=1e-6)
        assert float(val[index]["data_samples"]["frames"].mean()) == pytest.approx(1 - share)


def test_a_missing_file_is_answered_with_the_command(tmp_path: Path) -> None:
    """If this fails, a new user is left with a stack of frames."""
    with pytest.raises(DatasetNotFoundError, match=r"prepare_data/taxibj\.py --root"):
        TaxiBJ(root=str(tmp_path / "nowhere"), split="train")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.999])
def test_a_truncated_file_is_named(root: str, keep: float) -> None:
    """If this fails, half of a download is trained on."""
    path = Path(root) / FILE
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(DataError, match=r"dataset\.npz: .*delete it and run"):
        TaxiBJ(root=root, split="train")


def test_a_flipped_bit_is_found_also_in_what_is_not_used(root: str) -> None:
    """If this fails, one wrong value of a damaged disk trains on silently."""
    path = Path(root) / FILE
    whole = path.read_bytes()
    at = whole.index(b"X_train.npy") + 2_000
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    for split in ("train", "val"):
        with pytest.raises(DataError, match=r"dataset\.npz: X_train is not a readable array"):
            TaxiBJ(root=root, split=split)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Y_train": None}, "holds no array called 'Y_train'"),
        ({"X_train": np.zeros((30, 4, 32, 32, 2), np.float32)}, r"\(30, 4, 32, 32, 2\) where"),
        ({"X_train": np.zeros(SHAPE, np.int32)}, "X_train is int32"),
        ({"X_train": np.zeros(SHAPE, object)}, "X_train is object"),
        ({"X_train": np.zeros((29, *SHAPE[1:]), np.float32)}, "29 of X_train, 30 of Y_train"),
        ({"Y_train": np.full(SHAPE, np.nan, np.float32)}, "Y_train holds NaN"),
        ({"Y_train": np.full(SHAPE, 300.0, np.float32)}, "Y_train reaches 300"),
    ],
)
def test_arrays_of_another_kind_are_refused(root: str, changed: dict, message: str) -> None:
    """If this fails, raw counts, or pickles, pass for what is published."""
    rewrite(root, **changed)
    with pytest.raises(DataError, match=message):
        TaxiBJ(root=root, split="train")


def test_a_split_without_a_window_is_refused(root: str) -> None:
    """If this fails, validation on nothing is found after an epoch."""
    with pytest.raises(ConfigError, match="leaves none to the val split"):
        TaxiBJ(root=root, split="val", val_fraction=0)


def test_made_up_data_are_called_synthetic(root: str) -> None:
    """If this fails, a score on a made-up city stands in a table of TaxiBJ."""
    assert TaxiBJ(root=root, split="train").metainfo.synthetic
    (Path(root) / "SYNTHETIC.txt").unlink()
    assert not TaxiBJ(root=root, split="train").metainfo.synthetic
