"""AdamW for a small masked autoencoder: 1 of 20 epochs of warm-up, a cosine, float32."""

train_cfg = dict(max_epochs=20, val_interval=5)

optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=3e-3, betas=(0.9, 0.95), weight_decay=0.05),
    paramwise_cfg=dict(flat_decay_mult=0.0),
)
param_scheduler = [dict(type="WarmupThenCosineLR", warmup=1, convert_to_iter_based=True)]

model_wrapper_cfg = dict(find_unused_parameters=True)
