"""Patches of images of several sensors, grouped by sensor."""

import pytest
import torch

from openstl_ext.errors import ShapeError
from openstl_ext.layers.patches import band_patches
from openstl_ext.stream_patches import by_sensor, own_images, places

BANDS = torch.tensor([[[4, 2, 7], [5, -1, -1]], [[5, -1, -1], [4, 2, 7]]])
"""The second sample has its sensors in the other order."""


def test_every_chosen_patch_is_in_one_group_with_the_values_of_its_image() -> None:
    """A patch would be embedded, or compared, as one of another image, place or band."""
    frames = torch.randn(2, 2, 3, 8, 12)
    source = torch.randint(2, (2, 2, 6))
    chosen = torch.tensor([[0, 3, 5], [1, 2, 4]])
    cut = torch.stack([band_patches(frames[:, t], 4) for t in (0, 1)], dim=1)
    order, position = [], []
    for part in by_sensor(BANDS, source, chosen):
        values = part.values(frames, 4).unflatten(1, (len(part.bands), -1))
        for row, at in enumerate(part.position.tolist()):
            sample, stream, patch = at // 12, at // 6 % 2, at % 6
            image = int(source[sample, stream, patch])
            expected = cut[sample, image, patch]
            assert torch.equal(values[row], expected[part.channels])
            assert BANDS[sample, image][part.channels].tolist() == part.bands
            rank = int((chosen[sample] == patch).nonzero())
            assert part.order[row] == (sample * 2 + stream) * 3 + rank
        order += part.order.tolist()
        position += part.position.tolist()
    assert sorted(order) == list(range(12))
    assert len(set(position)) == 12


def test_a_sensor_without_chosen_patches_has_no_group() -> None:
    """An empty product would give its projection a gradient of zero, and weight decay would act."""
    source = own_images(torch.zeros(2, 2, 1, 1, 1), 6)
    assert source[1, 1].tolist() == [1] * 6
    only_first = source * 0
    bands = torch.tensor([[[0], [1]]]).expand(2, 2, 1)
    assert [part.bands for part in by_sensor(bands, only_first, torch.tensor([[0], [1]]))] == [[0]]


def test_numbers_of_chosen_patches_are_ascending_and_as_many_in_each_sample() -> None:
    """Tokens would stand at the wrong positions."""
    assert places(torch.tensor([[False, True, True], [True, False, True]])).tolist() == [
        [1, 2],
        [0, 2],
    ]
    with pytest.raises(ShapeError, match="same number of hidden patches"):
        places(torch.tensor([[True, False], [True, True]]))
