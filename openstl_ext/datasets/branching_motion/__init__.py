"""Branching motion: dataset and preparation."""

from openstl_ext.datasets.branching_motion.dataset import BranchingMotion

__all__ = ["BranchingMotion"]
