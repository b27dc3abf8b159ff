"""Moving MNIST: drawn training sequences, and the published test set."""

import gzip
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from openstl_ext.datasets.moving_mnist.dataset import MovingMNIST
from openstl_ext.datasets.synthetic.moving_mnist import TEST, TEST_DIGITS, TRAIN_DIGITS
from openstl_ext.engine.loops import Seeded
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError


@pytest.fixture
def root(tmp_path: Path) -> str:
    MovingMNIST.make_toy(tmp_path)
    return str(tmp_path)


def frames_of(dataset: MovingMNIST, index: int) -> torch.Tensor:
    item = dataset[index]
    return torch.cat([item["inputs"]["frames"], item["data_samples"]["frames"]])


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_every_split_has_the_published_shape_and_range(root: str, split: str) -> None:
    """Scores would not be comparable with published ones."""
    item = MovingMNIST(root=root, split=split)[1]
    frames, targets = item["inputs"]["frames"], item["data_samples"]["frames"]
    assert frames.shape == targets.shape == (10, 1, 64, 64)
    assert frames.dtype == torch.float32
    assert float(frames.min()) == 0
    assert 0.5 < float(frames.max()) <= 1


def test_a_training_sequence_is_a_function_of_seed_epoch_and_index(root: str) -> None:
    """A resumed run, or one with more workers, would train on other data."""
    dataset = MovingMNIST(root=root, split="train")
    assert len(pickle.dumps(dataset)) < 2_000, "a spawned worker receives the digits"
    one = Seeded(dataset=dataset, seed=1)
    same = Seeded(dataset=pickle.loads(pickle.dumps(dataset)), seed=1)
    torch.rand(7)
    same[(3, 4)]
    drawn = one[(0, 5)]["inputs"]["frames"]
    assert torch.equal(drawn, same[(0, 5)]["inputs"]["frames"])
    for other in (one[(1, 5)], one[(0, 6)], Seeded(dataset=dataset, seed=2)[(0, 5)]):
        assert not torch.equal(drawn, other["inputs"]["frames"])


def test_validation_does_not_depend_on_the_seed(root: str) -> None:
    """Best checkpoints of two seeds would be chosen on different data."""
    dataset = MovingMNIST(root=root, split="val", val_length=3)
    sequences = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        sequences.append([frames_of(dataset, i) for i in range(len(dataset))])
    assert all(torch.equal(a, b) for a, b in zip(*sequences, strict=True))
    assert not torch.equal(sequences[0][0], sequences[0][1])


def test_no_digit_is_in_training_and_in_validation(tmp_path: Path) -> None:
    """Validation would use digits of the training set."""
    MovingMNIST.make_toy(tmp_path)
    write_digits(tmp_path, np.arange(1, 61, dtype=np.uint8))  # one brightness per digit
    seen = {}
    for split in ("train", "val"):
        dataset = MovingMNIST(root=str(tmp_path), split=split)
        frames = torch.cat([frames_of(dataset, index) for index in range(100)])
        seen[split] = set((255 * frames).round().int().unique().tolist()) - {0}
    assert max(seen["train"]) <= 50 < min(seen["val"])
    assert len(seen["train"]) > 30
    without_val = MovingMNIST(root=str(tmp_path), split="train", val_fraction=0)
    assert float(torch.cat([frames_of(without_val, i) for i in range(200)]).max()) > 50 / 255


def write_digits(root: Path, brightness: np.ndarray) -> None:
    header = b"\0\0\x08\x03" + len(brightness).to_bytes(4, "big") + 2 * (28).to_bytes(4, "big")
    data = np.repeat(brightness, 28 * 28).tobytes()
    (root / TRAIN_DIGITS).write_bytes(gzip.compress(header + data))


def test_arguments_set_size_and_length_of_drawn_sequences(root: str) -> None:
    """A config's size or length would be ignored."""
    dataset = MovingMNIST(
        root=root,
        split="train",
        num_inputs=3,
        num_targets=5,
        num_digits=3,
        image_size=80,
        epoch_length=7,
    )
    assert len(dataset) == 7
    item = dataset[6]
    assert item["inputs"]["frames"].shape == (3, 1, 80, 80)
    assert item["data_samples"]["frames"].shape == (5, 1, 80, 80)
    with pytest.raises(IndexError):
        dataset[7]


def test_the_published_test_file_is_read_unchanged(root: str) -> None:
    """Time and sequence would be swapped."""
    stored = np.load(Path(root) / TEST)
    dataset = MovingMNIST(root=root, split="test", num_targets=7)
    assert len(dataset) == stored.shape[1] == 8
    assert dataset.is_published_test
    expected = torch.from_numpy(stored[:17, 5].astype(np.float32) / 255).unsqueeze(1)
    assert torch.equal(frames_of(dataset, 5), expected)


@pytest.mark.parametrize("other", [{"num_digits": 3}, {"num_targets": 20}, {"speed": 0.05}])
def test_other_arguments_than_those_of_the_published_test_set_draw_one(
    root: str, other: dict
) -> None:
    """Scores of three digits would be computed on two."""
    dataset = MovingMNIST(root=root, split="test", epoch_length=4, **other)
    assert not dataset.is_published_test
    assert len(dataset) == 4
    assert dataset.sample_id(2) == "test-00002"
    assert torch.equal(frames_of(dataset, 2), frames_of(dataset, 2))


def test_missing_files_are_answered_with_the_command(tmp_path: Path, root: str) -> None:
    """A first run would end in a traceback."""
    with pytest.raises(DatasetNotFoundError, match=r"data moving-mnist --root"):
        MovingMNIST(root=str(tmp_path / "nowhere"), split="train")
    (Path(root) / TEST_DIGITS).unlink()
    with pytest.raises(DatasetNotFoundError, match="t10k-images"):
        MovingMNIST(root=root, split="test", num_digits=1)


def test_damaged_files_are_named(root: str) -> None:
    """A partial download would be used."""
    digits, test = Path(root) / TRAIN_DIGITS, Path(root) / TEST
    data = digits.read_bytes()
    for damaged in (data[: len(data) // 2], data[:-9] + b"\0" + data[-8:]):
        digits.write_bytes(damaged)
        with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz: .*run the tool"):
            MovingMNIST(root=root, split="train")
    digits.write_bytes(gzip.compress(gzip.decompress(data)[:-100]))
    with pytest.raises(DataError, match="not a gzipped IDX file"):
        MovingMNIST(root=root, split="train")
    test.write_bytes(test.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"mnist_test_seq\.npy: .*delete it and run"):
        MovingMNIST(root=root, split="test")


@pytest.mark.parametrize("shape", [(8, 20, 64, 64), (20, 64, 64)])
def test_a_test_file_of_another_shape_or_type_is_rejected(
    root: str, shape: tuple[int, ...]
) -> None:
    """A file with sequences first would be read across them."""
    np.save(Path(root) / TEST, np.zeros(shape, np.uint8))
    with pytest.raises(DataError, match="time first"):
        MovingMNIST(root=root, split="test")
    np.save(Path(root) / TEST, np.zeros((20, 2, 64, 64), np.float32))
    with pytest.raises(DataError, match=r"float32 \(20, 2, 64, 64\), expected uint8"):
        MovingMNIST(root=root, split="test")


@pytest.mark.parametrize(
    "wrong", [{"image_size": 20}, {"speed": 0}, {"num_digits": 0}, {"val_fraction": 1.0}]
)
def test_arguments_out_of_range_are_rejected(root: str, wrong: dict) -> None:
    """A typo in a config would only show in a score."""
    with pytest.raises(ConfigError):
        MovingMNIST(root=root, split="train", **wrong)


def test_a_split_without_digits_is_rejected(root: str) -> None:
    """Validation without digits would be a division by zero in a worker."""
    with pytest.raises(ConfigError, match="leaves no digit for the val split"):
        MovingMNIST(root=root, split="val", val_fraction=0)


def test_synthetic_data_are_marked(root: str) -> None:
    """A score on random strokes would be shown in the table of Moving MNIST."""
    assert MovingMNIST(root=root, split="train").metainfo.synthetic
    (Path(root) / "SYNTHETIC.txt").unlink()
    dataset = MovingMNIST(root=root, split="train")
    assert not dataset.metainfo.synthetic
    assert math.isclose(dataset.speed, 0.1)


def test_a_range_of_digits_replaces_the_fraction(root: str) -> None:
    """VMRNN's figures could not be repeated: it trains on the first 10,000 digits."""
    train = MovingMNIST(root=root, split="train", digit_range=(0, 10))
    val = MovingMNIST(root=root, split="val", digit_range=(10, 13), val_length=3)
    every = MovingMNIST(root=root, split="train", val_fraction=0)._images()
    assert np.array_equal(train._images(), every[:10])
    assert np.array_equal(val._images(), every[10:13])
    for wrong in ((0, 61), (5, 5), (-1, 4)):
        with pytest.raises(ConfigError, match="within the 60 digits"):
            MovingMNIST(root=root, split="train", digit_range=wrong)
