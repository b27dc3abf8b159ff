"""SimVP-gSTA on Moving MNIST, OpenSTL's recipe of 200 epochs."""

_base_ = [
    "../_base_/models/simvp_gsta.py",
    "../_base_/benchmarks/moving_mnist_10to10.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(
        in_shape=(10, 1, 64, 64),
        spatial_channels=64,
        temporal_channels=512,
        num_spatial_blocks=4,
        num_temporal_blocks=8,
    ),
)

train_cfg = dict(max_epochs=200)

source = dict(
    claimed=dict(mse_sum=26.69, mae_sum=77.19, ssim_openstl=0.9402, psnr=22.78),  # of 200 epochs
)
