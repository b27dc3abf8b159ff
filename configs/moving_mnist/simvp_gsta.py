"""SimVP-gSTA on Moving MNIST, by OpenSTL's recipe of 200 epochs."""

_base_ = [
    "../_base_/benchmarks/moving_mnist_10to10.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    type="DirectForecast",
    net=dict(
        type="SimVP",
        in_shape=(10, 1, 64, 64),
        spatial_channels=64,
        temporal_channels=512,
        num_spatial_blocks=4,
        num_temporal_blocks=8,
        translator="gsta",
        mlp_ratio=8.0,
        drop_path=0.0,
    ),
    loss=dict(type="L2"),
)

train_cfg = dict(max_epochs=200)

source = dict(
    name="SimVP-gSTA",
    paper="arXiv:2211.12509",
    code="chengtan9907/OpenSTL@c74deb5",
    claimed=dict(mse_sum=26.69, mae_sum=77.19, ssim_openstl=0.9402, psnr=22.78),  # of 200 epochs
)
