"""AdamW for fine-tuning an encoder, as in SMARTIES: 5 epochs of warm-up, a cosine, bfloat16.

``lr`` is that of 256 samples. The published code calculates a layer decay of 0.75 but never applies
it, so ``layer_decay`` is 1 here; a smaller one acts.
"""

train_cfg = dict(max_epochs=150)

auto_scale_lr = dict(enable=True, base_batch_size=256)
optim_wrapper = dict(
    type="AutocastOptimWrapper",
    dtype="bfloat16",
    optimizer=dict(type="AdamW", lr=2e-4, betas=(0.9, 0.95), weight_decay=0.05),
    constructor="LayerDecayConstructor",
    paramwise_cfg=dict(layer_decay=1.0, flat_decay_mult=0.0),
)
param_scheduler = [dict(type="WarmupThenCosineLR", warmup=5, convert_to_iter_based=True)]

model_wrapper_cfg = dict(find_unused_parameters=True)
