"""TaxiBJ."""

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


def test_values_are_mapped_to_0_to_1(root: str) -> None:
    """Scores would be four times the published ones."""
    with np.load(Path(root) / FILE) as arrays:
        past, future = arrays["X_train"][3], arrays["Y_train"][3]
    item = TaxiBJ(root=root, split="train")[3]
    for field, stored in (("inputs", past), ("data_samples", future)):
        assert item[field]["frames"].shape == (4, 2, 32, 32)
        assert item[field]["frames"].dtype == torch.float32
        np.testing.assert_allclose(item[field]["frames"], (stored + 1) / 2, atol=1e-7)


def test_validation_is_the_end_of_training(root: str) -> None:
    """The best checkpoint would be chosen on training or test windows."""
    with np.load(Path(root) / FILE) as arrays:
        stored = torch.from_numpy(arrays["X_train"])
        tested = torch.from_numpy(arrays["X_test"])
    train, val, test = (TaxiBJ(root=root, split=split) for split in ("train", "val", "test"))
    assert (len(train), len(val), len(test)) == (27, 3, 6)
    for dataset, windows in ((train, stored[:27]), (val, stored[27:]), (test, tested)):
        for index, window in enumerate(windows):
            assert torch.equal(dataset[index]["inputs"]["frames"], (window + 1) / 2)
    assert len(TaxiBJ(root=root, split="train", val_fraction=0)) == 30


def test_doubles_are_read_as_float32_in_the_order_of_the_file(root: str) -> None:
    """A file of doubles could not be read, or the windows of val would be other ones."""
    values = np.linspace(-1, 1, 30).repeat(4 * 2 * 32 * 32).reshape(SHAPE)
    rewrite(root, X_train=values, Y_train=-values)
    val = TaxiBJ(root=root, split="val", val_fraction=0.6)
    assert len(val) == 18
    for index in (0, 17):
        past, future = val[index]["inputs"]["frames"], val[index]["data_samples"]["frames"]
        assert past.dtype == future.dtype == torch.float32
        assert float(past.mean()) == pytest.approx((12 + index) / 29, abs=1e-6)
        assert float(future.mean()) == pytest.approx(1 - (12 + index) / 29, abs=1e-6)


def test_arrays_in_fortran_order_are_read(root: str) -> None:
    """Files that MATLAB or a transposition wrote would be refused, or their axes be mixed."""
    expected = TaxiBJ(root=root, split="train")[3]["inputs"]["frames"]
    with np.load(Path(root) / FILE) as arrays:
        rewrite(root, **{name: np.asfortranarray(values) for name, values in arrays.items()})
    assert torch.equal(TaxiBJ(root=root, split="train")[3]["inputs"]["frames"], expected)


def test_sample_ids_name_array_and_row(root: str) -> None:
    """A window of two splits would have two names, so that an overlap would not be found."""
    train, val, test = (TaxiBJ(root=root, split=split) for split in ("train", "val", "test"))
    assert (train.sample_id(26), val.sample_id(0)) == ("train-00026", "train-00027")
    assert test.sample_id(0) == "test-00000"
    assert TaxiBJ(root=root, split="train", val_fraction=0).sample_id(27) == val.sample_id(0)


def test_a_missing_file_is_answered_with_the_command(tmp_path: Path) -> None:
    """A first run would end in a traceback."""
    with pytest.raises(DatasetNotFoundError, match=r"data taxibj --root"):
        TaxiBJ(root=str(tmp_path / "nowhere"), split="train")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.999])
def test_a_truncated_file_is_named(root: str, keep: float) -> None:
    """A partial download would be used."""
    path = Path(root) / FILE
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(DataError, match=r"dataset\.npz: .*delete it and run"):
        TaxiBJ(root=root, split="train")


def test_a_flipped_bit_is_detected_also_outside_the_split(root: str) -> None:
    """A damaged value would be used in training."""
    path = Path(root) / FILE
    data = path.read_bytes()
    at = data.index(b"X_train.npy") + 2_000
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    for split in ("train", "val"):
        with pytest.raises(DataError, match=r"dataset\.npz: Bad CRC-32"):
            TaxiBJ(root=root, split=split)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Y_train": None}, "Y_train is not a file in the archive"),
        (
            {"X_train": np.zeros((30, 4, 32, 32, 2), np.float32)},
            r"X_train has shape \(30, 4, 32, 32, 2\), expected",
        ),
        (
            {"X_train": np.linspace(0, 1, np.prod(SHAPE)).reshape(SHAPE)},
            r"X_train lies in 0 to 0.9, so it was scaled to \[0, 1\] already",
        ),
        ({"X_train": np.full(SHAPE, 7, np.int32)}, "X_train reaches 7"),
        ({"X_train": np.zeros(SHAPE, object)}, "Object arrays"),
        ({"X_train": np.zeros((29, *SHAPE[1:]), np.float32)}, "26 input and 27 target windows"),
        ({"Y_train": np.full(SHAPE, np.nan, np.float32)}, "Y_train reaches nan"),
        ({"Y_train": np.full(SHAPE, 300.0, np.float32)}, "Y_train reaches 300"),
    ],
)
def test_arrays_of_another_shape_or_range_are_rejected(
    root: str, changed: dict, message: str
) -> None:
    """Raw counts or pickles would be used as published data."""
    rewrite(root, **changed)
    with pytest.raises(DataError, match=message):
        TaxiBJ(root=root, split="train")


def test_an_empty_split_is_rejected(root: str) -> None:
    """An empty validation split would be found after an epoch."""
    with pytest.raises(ConfigError, match="leaves the val split empty"):
        TaxiBJ(root=root, split="val", val_fraction=0)


def test_synthetic_data_are_marked(root: str) -> None:
    """A score on a synthetic city would be shown in the table of TaxiBJ."""
    assert TaxiBJ(root=root, split="train").metainfo.synthetic
    (Path(root) / "SYNTHETIC.txt").unlink()
    assert not TaxiBJ(root=root, split="train").metainfo.synthetic
