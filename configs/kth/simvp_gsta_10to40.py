"""SimVP-gSTA on KTH, ten frames in and 40 out, by OpenSTL's recipe of 100 epochs."""

_base_ = [
    "../_base_/benchmarks/kth_10to40.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    type="DirectForecast",
    net=dict(
        type="SimVP",
        in_shape=(10, 1, 128, 128),
        spatial_channels=64,
        temporal_channels=256,
        num_spatial_blocks=2,
        num_temporal_blocks=6,
        translator="gsta",
        mlp_ratio=8.0,
        drop_path=0.2,
    ),
    loss=dict(type="L2"),
)

train_cfg = dict(max_epochs=100)
train_dataloader = dict(batch_size=4)  # on each of four GPUs: tools/dist_train.sh 4

source = dict(
    name="SimVP-gSTA",
    paper="arXiv:2211.12509",
    code="chengtan9907/OpenSTL@c74deb5",
    claimed=dict(),  # OpenSTL has no table of forty frames
)
