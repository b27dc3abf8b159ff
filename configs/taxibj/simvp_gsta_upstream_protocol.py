"""SimVP-gSTA on TaxiBJ, by OpenSTL's recipe of 50 epochs, judged as upstream."""

_base_ = [
    "../_base_/benchmarks/taxibj_4to4_upstream_protocol.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(
    type="DirectForecast",
    net=dict(
        type="SimVP",
        in_shape=(4, 2, 32, 32),
        spatial_channels=32,
        temporal_channels=256,
        num_spatial_blocks=2,
        num_temporal_blocks=8,
        translator="gsta",
        mlp_ratio=8.0,
        drop_path=0.1,
    ),
    loss=dict(type="L2"),
)

train_cfg = dict(max_epochs=50)
optim_wrapper = dict(optimizer=dict(lr=5e-4))

source = dict(
    name="SimVP-gSTA (upstream protocol)",
    paper="arXiv:2211.12509",
    code="chengtan9907/OpenSTL@c74deb5",
    claimed=dict(mse_sum=0.3246, mae_sum=15.03, ssim_openstl=0.9844, psnr=39.71),  # of 50 epochs
)
