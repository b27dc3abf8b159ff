"""AdamW for masked autoencoding, as in SMARTIES: per 256 samples, 20 epochs of warm-up, a cosine.

``lr`` is that of 256 samples: an update of 2048 has 1.2e-3. Biases and norms have no weight decay.
Each batch is of one pair of sensors, so most projections are unused in it. bfloat16 takes the place
of the published float16.
"""

train_cfg = dict(max_epochs=300)

auto_scale_lr = dict(enable=True, base_batch_size=256)
optim_wrapper = dict(
    type="AutocastOptimWrapper",
    dtype="bfloat16",
    optimizer=dict(type="AdamW", lr=1.5e-4, betas=(0.9, 0.95), weight_decay=0.05),
    paramwise_cfg=dict(flat_decay_mult=0.0),
)
param_scheduler = [dict(type="WarmupThenCosineLR", warmup=20, convert_to_iter_based=True)]

model_wrapper_cfg = dict(find_unused_parameters=True)
