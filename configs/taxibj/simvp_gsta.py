"""SimVP-gSTA on TaxiBJ, OpenSTL's recipe of 50 epochs."""

_base_ = [
    "../_base_/models/simvp_gsta.py",
    "../_base_/benchmarks/taxibj_4to4.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(
        in_shape=(4, 2, 32, 32),
        spatial_channels=32,
        temporal_channels=256,
        num_spatial_blocks=2,
        num_temporal_blocks=8,
        drop_path=0.1,
    ),
)

train_cfg = dict(max_epochs=50)

source = dict(
    claimed=dict(mse_sum=0.3246, mae_sum=15.03, ssim_openstl=0.9844, psnr=39.71),  # of 50 epochs
)
