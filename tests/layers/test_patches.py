"""Folding, embedding, merging and expanding of patches."""

import pytest
import torch

from openstl_ext.layers.patches import (
    PatchEmbedding,
    PatchExpanding,
    PatchMerging,
    fold_patches,
    prime_factors,
    unfold_patches,
)


def test_folded_channels_are_ordered_by_row_column_and_channel() -> None:
    """Published weights would load and give wrong outputs."""
    frame = torch.arange(2 * 2 * 4).float().view(1, 2, 2, 4)  # channel 1 is 8 more
    folded = fold_patches(frame, 2)
    assert folded[0, :, 0, 0].tolist() == [0, 8, 1, 9, 4, 12, 5, 13]
    assert torch.equal(unfold_patches(folded, 2), frame)


def test_merging_concatenates_column_by_column() -> None:
    """Published weights would load and give wrong outputs."""
    merge = PatchMerging(1)
    merge.norm = torch.nn.Identity()
    torch.nn.init.constant_(merge.reduction.weight, 0)
    merge.reduction.weight.data[0] = torch.tensor([1.0, 10.0, 100.0, 1000.0])
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(1, 2, 2, 1)
    assert merge(x)[0, 0, 0, 0].item() == 1 + 30 + 200 + 4000


def test_expanding_writes_rows_first() -> None:
    """Published weights would load and give wrong outputs."""
    expand = PatchExpanding(2)
    expand.norm = torch.nn.Identity()
    torch.nn.init.constant_(expand.expand.weight, 0)
    expand.expand.weight.data[:, 0] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert expand(torch.ones(1, 1, 1, 2))[0, :, :, 0].tolist() == [[1, 2], [3, 4]]


def test_tokens_keep_the_position_of_their_pixels() -> None:
    """Swapped rows and columns would pass every test with square frames."""
    embed = PatchEmbedding(1, 4, patch_size=2)
    frame = torch.zeros(1, 1, 4, 6)
    blank = embed(frame)
    frame[0, 0, 3, 1] = 1.0
    changed = (embed(frame) != blank).any(dim=-1)[0]
    assert changed.nonzero().tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("number", "factors"), [(1, [1]), (2, [2]), (8, [2, 2, 2]), (6, [3, 2]), (7, [7])]
)
def test_a_patch_is_the_product_of_its_prime_factors(number: int, factors: list[int]) -> None:
    """Decoded frames would have another size."""
    assert prime_factors(number) == factors
