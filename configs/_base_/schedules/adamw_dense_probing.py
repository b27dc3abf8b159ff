"""AdamW for UPerNet on a frozen encoder, as in PANGAEA: a tenth after 48 and 72 of 80 epochs."""

train_cfg = dict(max_epochs=80, val_interval=5)

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-4, betas=(0.9, 0.999), weight_decay=0.05),
)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[48, 72], gamma=0.1)]
