"""Synthetic sets in the formats of the published ones."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.synthetic import kth, moving_mnist, taxibj
from openstl_ext.registry import DATASETS

NAMES = ["MovingMNIST", "TaxiBJ", "KTH"]
SMALL = {
    "MovingMNIST": lambda root: moving_mnist.write(root, num_digits=60, num_sequences=20),
    "TaxiBJ": lambda root: taxibj.write(root, num_train=60, num_test=20),
    "KTH": lambda root: kth.write(root, num_frames=30, persons=(1, 15, 17)),
}


@pytest.mark.parametrize("name", NAMES)
def test_synthetic_sets_are_marked_and_move(name: str, tmp_path: Path) -> None:
    """Synthetic data would be used as real ones, or a net could not learn from them."""
    SMALL[name](tmp_path)
    assert "synthetic" in (tmp_path / "SYNTHETIC.txt").read_text()
    ids: list[str] = []
    for split in ("train", "val", "test"):
        dataset: SequenceDataset = DATASETS.get(name)(root=str(tmp_path), split=split)
        assert dataset.metainfo.synthetic
        errors, spread = [], []
        for index in range(min(len(dataset), 6)):
            item = dataset[index]
            past, future = item["inputs"]["frames"], item["data_samples"]["frames"]
            assert 0 <= float(past.min()) < float(past.max()) <= 1
            errors.append(float((future - past[-1]).square().mean()))
            spread.append(float(future.var()))
        assert np.mean(errors) > 0.02 * np.mean(spread), "persistence would be hard to beat"
        ids += [dataset.sample_id(i) for i in range(len(dataset))]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ["MovingMNIST", "TaxiBJ"])
def test_the_same_seed_gives_the_same_files(name: str, tmp_path: Path) -> None:
    """The same command would give two different sets."""
    sums = []
    for place in ("one", "two"):
        SMALL[name](tmp_path / place)
        dataset = DATASETS.get(name)(root=str(tmp_path / place), split="test")
        frames = torch.stack([dataset[i]["data_samples"]["frames"] for i in range(len(dataset))])
        sums.append(hashlib.sha256(frames.numpy().tobytes()).hexdigest())
    assert sums[0] == sums[1]


def test_the_synthetic_city_has_disjoint_training_and_test_windows(tmp_path: Path) -> None:
    """Test windows would be training windows."""
    taxibj.write(tmp_path, num_train=30, num_test=10)
    with np.load(tmp_path / taxibj.FILE) as arrays:
        past, future, tested = arrays["X_train"], arrays["Y_train"], arrays["X_test"]
    np.testing.assert_array_equal(past[4], future[0])
    seen = {frame.tobytes() for window in (*past, *future) for frame in window}
    assert not any(frame.tobytes() in seen for window in tested for frame in window)
    assert (past.min(), past.max()) >= (-1, -1)
    assert abs(past).max() <= 1
