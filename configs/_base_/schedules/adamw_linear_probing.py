"""AdamW for a linear probe, as in SMARTIES: a tenth of the rate after 60 and after 80 epochs.

``lr`` is that of 256 samples: a batch of 1024 has 4e-3. There is no weight decay and no warm-up.
float32 takes the place of the published float16.
"""

train_cfg = dict(max_epochs=100)

auto_scale_lr = dict(enable=True, base_batch_size=256)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, betas=(0.9, 0.95), weight_decay=0.0),
)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[60, 80], gamma=0.1)]
