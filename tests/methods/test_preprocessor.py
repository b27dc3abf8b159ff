"""Normalisation, denormalisation and their statistics."""

from pathlib import Path

import pytest
import torch

from openstl_ext.errors import CheckpointError, ConfigError, DataError, DatasetNotFoundError
from openstl_ext.methods.preprocessor import SequencePreprocessor
from openstl_ext.statistics import ChannelStatistics, Statistics

CHANNELS = {"frames": ["red", "nir"], "static": ["height"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a file of statistics."""
    groups = {
        "frames": ChannelStatistics(names=("red", "nir"), mean=(1.0, 2.0), std=(2.0, 4.0)),
        "static": ChannelStatistics(names=("height",), mean=(100.0,), std=(50.0,)),
    }
    Statistics(groups=groups).write(tmp_path / "statistics.json")
    return tmp_path / "statistics.json"


def test_frames_and_covariates_are_normalised_and_gaps_become_the_mean(path: Path) -> None:
    """A NaN in the input of a net becomes a map of NaN."""
    preprocessor = SequencePreprocessor(statistics=str(path), channels=CHANNELS)
    frames = torch.tensor([3.0, torch.nan]).view(1, 1, 2, 1, 1)
    static = torch.tensor([150.0, torch.nan]).view(1, 1, 1, 2)
    batch = {"inputs": {"frames": frames, "valid": frames.isfinite(), "static": static}}
    inputs = preprocessor(batch)["inputs"]
    assert inputs["frames"].flatten().tolist() == [1.0, 0.0]
    assert inputs["static"].flatten().tolist() == [1.0, 0.0]
    assert preprocessor.denormalize(inputs["frames"]).flatten().tolist() == [3.0, 2.0]


def test_weights_include_the_statistics(path: Path) -> None:
    """A forecast on another machine would need the training data."""
    state = SequencePreprocessor(statistics=str(path), channels=CHANNELS).state_dict()
    tool = "python measure.py"
    elsewhere = SequencePreprocessor(statistics="nowhere.json", channels=CHANNELS, prepare=tool)
    batch = {"inputs": {"frames": torch.full((1, 1, 2, 1, 1), 5.0)}}
    with pytest.raises(DatasetNotFoundError, match=r"nowhere\.json.*python measure\.py"):
        elsewhere(batch)
    elsewhere.load_state_dict(state)
    assert elsewhere(batch)["inputs"]["frames"].flatten().tolist() == [2.0, 0.75]


def test_weights_of_other_channels_are_an_error(path: Path) -> None:
    """A map from exchanged channels looks plausible and is wrong."""
    state = SequencePreprocessor(statistics=str(path), channels=CHANNELS).state_dict()
    turned = {**CHANNELS, "frames": ["nir", "red"]}
    other = SequencePreprocessor(statistics="nowhere.json", channels=turned)
    with pytest.raises(CheckpointError, match="another order"):
        other.load_state_dict(state)
    with pytest.raises(DataError, match=r"red, nir.*nir, red"):
        SequencePreprocessor(statistics=str(path), channels=turned)


def test_a_covariate_without_statistics_is_an_error_if_others_have_some(path: Path) -> None:
    """Values in metres would dominate the input, and no score shows the reason."""
    preprocessor = SequencePreprocessor(statistics=str(path), channels={"frames": ["red", "nir"]})
    batch = {"inputs": {"frames": torch.ones(1, 1, 2, 1, 1), "static": torch.ones(1, 1, 1, 1)}}
    with pytest.raises(ConfigError, match=r"static=\[...\]"):
        preprocessor(batch)
