"""Adam with five epochs of warm-up and a cosine of the learning rate, stepped every epoch."""

train_cfg = dict(max_epochs=50, val_interval=1)

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=5e-4, weight_decay=0.0),
)
param_scheduler = [
    dict(type="WarmupCosineLR", by_epoch=True, warmup=5, start=1e-5, floor=1e-6),
]
