"""NewDataset yields frames."""

from pathlib import Path

import pytest
import torch
from new_dataset import NewDataset


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_an_item_has_ten_frames_on_both_sides(split: str, tmp_path: Path) -> None:
    """A net would get other frames than its config states."""
    NewDataset.make_toy(tmp_path)
    dataset = NewDataset(root=str(tmp_path), split=split)
    for item in (dataset[0], dataset[len(dataset) - 1]):
        for side in ("inputs", "data_samples"):
            frames = item[side]["frames"]
            assert (frames.shape, frames.dtype) == ((10, 1, 32, 32), torch.float32)
            assert frames.isfinite().all()


def test_sample_ids_are_unique_over_all_splits(tmp_path: Path) -> None:
    """Saved forecasts would overwrite each other, and an overlap of splits would be missed."""
    NewDataset.make_toy(tmp_path)
    splits = [NewDataset(root=str(tmp_path), split=split) for split in ("train", "val", "test")]
    names = [dataset.sample_id(index) for dataset in splits for index in range(len(dataset))]
    assert len(set(names)) == len(names)
