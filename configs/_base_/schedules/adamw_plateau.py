"""AdamW with clipped gradients; a tenth of the rate after six validations without a better Dice.

As in ST-Mamba, where only the first process slows down; here all do. Its rate is multiplied by
the number of processes, ours is not. It also keeps the weights of the best Dice of the sites:
``default_hooks = dict(checkpoint=dict(save_best="dice@site"))`` in a recipe does.
"""

train_cfg = dict(max_epochs=50, val_interval=1)
val_cfg = dict()
test_cfg = dict()

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=1e-5),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type="ReduceOnPlateauLR", monitor="dice@site", rule="greater", factor=0.1, patience=5),
]
