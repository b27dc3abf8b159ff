"""Contract of the registered datasets, on their toy sets."""

from typing import Any

import pytest

from openstl_ext.datasets.base import SPLITS, SequenceDataset
from openstl_ext.errors import ConfigError
from openstl_ext.registry import DATASETS
from tests.small_recipe import SIZES, toy_set

NAMES = sorted(
    name for name, cls in DATASETS.module_dict.items() if cls.__module__.startswith("openstl_ext.")
)
UNITS = {"HumanModification": {"values": "0-10000"}}
"""Arguments that describe the values of a toy set."""
FORBIDDEN = set('/\\:*?"<>|') | {chr(code) for code in range(32)}


def build(name: str, **arguments: Any) -> SequenceDataset:
    arguments = {**SIZES.get(name, {}), **UNITS.get(name, {}), **arguments}
    return DATASETS.get(name)(root=str(toy_set(name)), **arguments)


@pytest.mark.parametrize("name", NAMES)
def test_sample_ids_are_unique_in_the_dataset_and_valid_file_names(name: str) -> None:
    """Two forecasts would share a file, or a sample in two splits would not be found."""
    ids: list[str] = []
    for split in SPLITS:
        dataset = build(name, split=split)
        ids += [dataset.sample_id(index) for index in range(len(dataset))]
    assert len(set(ids)) == len(ids) >= len(SPLITS)
    for sample_id in ids:
        assert 0 < len(sample_id) <= 120
        assert not FORBIDDEN & set(sample_id)
        assert sample_id[0] != "."
        assert sample_id == sample_id.strip(". ")


@pytest.mark.parametrize("name", NAMES)
def test_the_split_has_no_default(name: str) -> None:
    """A config without a split would test on the training data."""
    with pytest.raises(TypeError, match="split"):
        DATASETS.get(name)(root=str(toy_set(name)))


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_split_is_answered_with_the_nearest(name: str) -> None:
    """A misspelt split would read another one."""
    with pytest.raises(ConfigError, match="did you mean 'train'"):
        build(name, split="trian")


@pytest.mark.parametrize("name", NAMES)
def test_target_names_are_one_per_target_frame_or_none(name: str) -> None:
    """A figure would show a forecast under the year of another one."""
    dataset = build(name, split="test")
    names = dataset.target_names(0)
    assert not names or len(names) == len(dataset[0]["data_samples"]["frames"])


BLOCKS = {
    "BurnScars": "subsetted_512x512_HLS.S30.T13TDE",
    "DFC2020": "validation-00000",
    "DynamicEarthNet": "1312_3077_13_12N",
    "HumanModification": "r00002_c00042",
    "KTH": "person17",
    "SpaceNet7": "L15-0431E-1257N_1327_3160_13",
    "TaxiBJ": "test-0000",
}
"""Block of the first test samples of each toy set."""


@pytest.mark.parametrize("name", BLOCKS)
def test_samples_of_one_origin_share_their_block(name: str) -> None:
    """Windows of one recording would count as independent, and an interval would be too narrow."""
    dataset = build(name, split="test")
    assert dataset.block_id(0) == BLOCKS[name]
    if len(dataset) > 1:
        assert dataset.sample_id(0) != dataset.sample_id(1)
        assert dataset.block_id(1) == BLOCKS[name]


def test_random_chips_have_no_blocks() -> None:
    """All would be one block, and no interval could be drawn."""
    dataset = build("HumanModification", split="test", mode="random")
    assert dataset.block_id(0) is None


@pytest.mark.parametrize("name", NAMES)
def test_block_ids_name_the_same_kind_for_all_samples(name: str) -> None:
    """A missing block would make an interval too narrow."""
    dataset = build(name, split="test")
    blocks = [dataset.block_id(index) for index in range(len(dataset))]
    assert all(block is None for block in blocks) or all(blocks)
