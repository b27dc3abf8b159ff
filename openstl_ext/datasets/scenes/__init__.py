"""Scene classification: EuroSAT, RESISC45, UC-Merced, WHU-RS19."""

from openstl_ext.datasets.scenes.eurosat import EuroSAT
from openstl_ext.datasets.scenes.rgb import RESISC45, WHURS19, UCMerced

__all__ = ["RESISC45", "WHURS19", "EuroSAT", "UCMerced"]
