"""AdamW with clipped gradients; a tenth of the rate after six validations without a better Dice.

As in ST-Mamba, apart from two points: all processes reduce the rate, not only the first, and the
rate is not multiplied by the number of processes. ``runtime_segmentation.py`` keeps the weights
with the best Dice of the sites.
"""

train_cfg = dict(max_epochs=50, val_interval=1)

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=1e-5),
    clip_grad=dict(max_norm=1.0),
)
plateau = dict(type="ReduceOnPlateauLR", monitor="dice[site]", rule="greater", factor=0.1)
param_scheduler = [dict(**plateau, patience=5)]
