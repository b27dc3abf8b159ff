"""Adam under one cycle of learning rate and momentum, stepped every iteration, as in OpenSTL."""

train_cfg = dict(max_epochs=20, val_interval=1)
val_cfg = dict()
test_cfg = dict()

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=1e-3, weight_decay=0.0),
)
param_scheduler = [
    dict(
        type="OneCycleLR",
        by_epoch=False,
        eta_max=1e-3,
        pct_start=0.3,
        div_factor=25.0,
        final_div_factor=1e4,
    ),
    dict(
        type="OneCycleMomentum",
        by_epoch=False,
        smallest=0.85,
        largest=0.95,
        pct_start=0.3,
    ),
]
