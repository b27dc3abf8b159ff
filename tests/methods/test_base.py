"""The doors of a method."""

import pytest
import torch

from openstl_ext.errors import ShapeError
from openstl_ext.methods.base import checked_terms, paired
from openstl_ext.methods.preprocessor import SequencePreprocessor


def test_a_misnamed_loss_is_refused() -> None:
    """The engine sums whatever has "loss" in its name, so a statistic could be minimised."""
    with pytest.raises(ValueError, match="flossing"):
        checked_terms({"loss_frames": torch.ones(()), "flossing": torch.ones(())})
    with pytest.raises(ValueError, match="nothing is learnt"):
        checked_terms({"mse": torch.ones(())})


def test_forecast_and_truth_of_other_shapes_are_no_pair() -> None:
    """A broadcast would give a score, and the score would be nonsense."""
    with pytest.raises(ValueError, match="shape"):
        paired({"forecast": torch.ones(1, 1, 1, 2, 2)}, torch.ones(1, 2, 1, 2, 2), None)


def test_the_border_is_crossed_both_ways_without_loss() -> None:
    """Figures in the wrong unit look like figures."""
    border = SequencePreprocessor(mean=[1.0, 10.0], std=[2.0, 5.0])
    frames = torch.rand(2, 3, 2, 4, 5)
    there = border.normalize(frames)
    torch.testing.assert_close(there[0, 0, 1], (frames[0, 0, 1] - 10) / 5)
    torch.testing.assert_close(border.denormalize(there), frames)


def test_gaps_never_enter_a_net() -> None:
    """One NaN pixel becomes a frame of NaN behind the first normalisation layer."""
    frames = torch.rand(1, 2, 1, 4, 4)
    frames[0, 0, 0, 1, 1] = torch.nan
    batch = {"inputs": {"frames": frames, "valid": frames.isfinite()}, "data_samples": {}}
    out = SequencePreprocessor(mean=0.5)(batch)
    assert out["inputs"]["frames"].isfinite().all()
    assert out["inputs"]["frames"][0, 0, 0, 1, 1] == 0
    assert batch["inputs"]["frames"].isnan().any(), "the batch of the caller was changed"


def test_targets_stay_in_data_units_when_judged() -> None:
    """Training learns normalised values; a score is in the unit of the data."""
    border = SequencePreprocessor(mean=1.0, std=2.0)
    frames = torch.rand(1, 2, 1, 4, 4)
    batch = {"inputs": {"frames": frames}, "data_samples": {"frames": frames}}
    torch.testing.assert_close(border(batch)["data_samples"]["frames"], frames)
    trained = border(batch, training=True)["data_samples"]["frames"]
    torch.testing.assert_close(trained, (frames - 1) / 2)


def test_a_border_of_other_channels_says_so() -> None:
    """Broadcasting three means over one channel would make three channels of it."""
    with pytest.raises(ShapeError, match="3 channels"):
        SequencePreprocessor(mean=[0.0, 0.0, 0.0]).normalize(torch.rand(1, 1, 1, 4, 4))
    with pytest.raises(ValueError, match="positive"):
        SequencePreprocessor(std=0.0)
