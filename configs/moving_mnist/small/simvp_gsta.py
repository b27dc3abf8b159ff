"""A small SimVP-gSTA that learns the miniature Moving MNIST on a CPU in minutes."""

_base_ = [
    "../../_base_/benchmarks/moving_mnist_miniature_10to10.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

model = dict(
    type="DirectForecast",
    net=dict(
        type="SimVP",
        in_shape=(10, 1, 64, 64),
        spatial_channels=16,
        temporal_channels=64,
        num_spatial_blocks=2,
        num_temporal_blocks=2,
        translator="gsta",
        mlp_ratio=4.0,
        drop_path=0.0,
    ),
    loss=dict(type="L2"),
)

train_cfg = dict(max_epochs=8)
optim_wrapper = dict(optimizer=dict(lr=5e-3))

source = dict(
    name="SimVP-gSTA (small)",
    paper="arXiv:2211.12509",
    code="chengtan9907/OpenSTL@c74deb5",
    claimed=dict(),  # of this size nothing is published
)
