"""Human Modification: data set, rasters, split, statistics and preparation."""

from openstl_ext.datasets.human_modification.dataset import HumanModification

__all__ = ["HumanModification"]
