"""Losses of classes: shapes that do not fit."""

import pytest
import torch

from openstl_ext.errors import ShapeError
from openstl_ext.losses.classification import CrossEntropy


def test_maps_of_another_size_are_no_labels_of_several_classes() -> None:
    """A user of another form of DFC2020 would be sent to the wrong argument."""
    with pytest.raises(ShapeError, match=r"\(2, 4, 4\), but logits \(2, 3, 6, 6\); .* label_size"):
        CrossEntropy()(torch.zeros(2, 3, 6, 6), torch.zeros(2, 4, 4, dtype=torch.long))
    with pytest.raises(ShapeError, match="use multi_label=True"):
        CrossEntropy()(torch.zeros(2, 3), torch.zeros(2, 3, dtype=torch.long))
