"""Scenes: EuroSAT, RESISC45, UC-Merced, WHU-RS19, and your own with classes or label maps."""

from openstl_ext.datasets.scenes.eurosat import EuroSAT
from openstl_ext.datasets.scenes.own import Scenes
from openstl_ext.datasets.scenes.own_maps import SceneMaps
from openstl_ext.datasets.scenes.rgb import RESISC45, WHURS19, UCMerced

__all__ = ["RESISC45", "WHURS19", "EuroSAT", "SceneMaps", "Scenes", "UCMerced"]
