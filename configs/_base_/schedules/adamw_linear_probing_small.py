"""AdamW for a linear probe on a small set: a tenth of the rate after 60 and after 80 epochs."""

train_cfg = dict(max_epochs=100, val_interval=10)

optim_wrapper = dict(optimizer=dict(type="AdamW", lr=1e-2, betas=(0.9, 0.95), weight_decay=0.0))
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[60, 80], gamma=0.1)]
