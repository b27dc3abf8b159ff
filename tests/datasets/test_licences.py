"""Licences of datasets: the docstrings of the classes state them, everything else repeats them."""

import importlib
from pathlib import Path

import pytest

from openstl_ext.datasets.card import section
from openstl_ext.datasets.preparation import Preparation
from openstl_ext.registry import DATASETS

README = Path(__file__).parents[2] / "data/README.md"
FOLDERS = {
    "Boiling": "data/boiling",
    "BranchingMotion": "data/branching_motion",
    "MovingMNIST": "data/moving_mnist",
    "TaxiBJ": "data/taxibj",
    "KTH": "data/kth",
    "LTSSegmentation": "data/lts",
    "HumanModification": "data/human_modification",
    "EuroSAT": "data/eurosat",
    "RESISC45": "data/resisc45",
    "UCMerced": "data/uc_merced",
    "WHURS19": "data/whu_rs19",
    "BigEarthNet": "data/bigearthnet",
    "BurnScars": "data/burn_scars",
    "DFC2020": "data/dfc2020",
    "SpaceNet7": "data/spacenet7",
    "DynamicEarthNet": "data/dynamic_earth_net",
    "SensorPairs": "data/sensor_pairs",
    "SICKLE": "data/sickle",
    "ImportedFrames": "data/mine",
}
"""Folder of each dataset that states a licence, as in the table of data/README.md."""


def test_the_table_states_the_licences_of_the_classes() -> None:
    """Two places would state two licences, and a user would rely on the wrong one."""
    DATASETS.import_from_location()
    stated = {
        name: text
        for name, cls in DATASETS.module_dict.items()
        if cls.__module__.startswith("openstl_ext.") and (text := section(cls, "Licence"))
    }
    assert stated.pop("BigEarthNetMaps") == f"That of BigEarthNet: {stated['BigEarthNet']}"
    assert set(stated) == set(FOLDERS)
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in README.read_text().splitlines()
        if line.startswith("| ")
    ]
    table = {row[3].strip("`"): row[2] for row in rows if len(row) == 4}
    assert {name: table[folder] for name, folder in FOLDERS.items()} == stated


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("human_modification.prepare", "HumanModification"),
        ("kth.prepare", "KTH"),
        ("lts.prepare", "LTSSegmentation"),
        ("moving_mnist.prepare", "MovingMNIST"),
        ("taxibj", "TaxiBJ"),
    ],
)
def test_a_preparation_prints_the_licence_of_its_class(module: str, name: str) -> None:
    """A download would state another licence than the description of the data."""
    preparation = importlib.import_module(f"openstl_ext.datasets.{module}").PREPARATION
    assert isinstance(preparation, Preparation)
    assert preparation.licence == section(DATASETS.get(name), "Licence") != ""
