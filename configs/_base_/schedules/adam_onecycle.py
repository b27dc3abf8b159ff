"""Adam with one cycle of learning rate and momentum, stepped every iteration, as in OpenSTL.

For another peak, a recipe sets ``param_scheduler`` with ``_base_.cycle`` and ``_base_.momentum``.
"""

train_cfg = dict(max_epochs=20, val_interval=1)

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=1e-3, weight_decay=0.0),
)
cycle = dict(
    type="OneCycleLR",
    by_epoch=False,
    pct_start=0.3,
    div_factor=25.0,
    final_div_factor=1e4,
)
momentum = dict(
    type="OneCycleMomentum",
    by_epoch=False,
    smallest=0.85,
    largest=0.95,
    pct_start=0.3,
)
param_scheduler = [dict(**cycle, eta_max=1e-3), momentum]
