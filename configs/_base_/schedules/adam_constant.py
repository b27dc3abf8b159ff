"""Adam with a constant learning rate."""

train_cfg = dict(max_epochs=500, val_interval=5)

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=5e-5, weight_decay=0.0),
)
