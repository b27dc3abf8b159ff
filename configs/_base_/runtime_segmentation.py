"""Runtime of segmentation: the best checkpoint has the highest Dice of the sites."""

_base_ = "runtime.py"

default_hooks = dict(checkpoint=dict(save_best="dice[site]"))
