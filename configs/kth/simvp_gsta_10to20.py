"""SimVP-gSTA on KTH, 10 to 20 frames, OpenSTL's recipe of 100 epochs."""

_base_ = [
    "../_base_/models/simvp_gsta.py",
    "../_base_/benchmarks/kth_10to20.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(
        in_shape=(10, 1, 128, 128),
        spatial_channels=64,
        temporal_channels=256,
        num_spatial_blocks=2,
        num_temporal_blocks=6,
        drop_path=0.2,
    ),
)

train_cfg = dict(max_epochs=100)
train_dataloader = dict(batch_size=4)  # on each of four GPUs: tools/dist_train.sh 4

source = dict(claimed=dict(mse_sum=45.02, mae_sum=417.8, ssim_openstl=0.9049, psnr=27.04))
