"""SimVP with gated spatiotemporal attention, at the size and by the recipe of simvp_minimal."""

_base_ = [
    "../_base_/benchmarks/boiling_10to10.py",
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

train_cfg = dict(max_epochs=20)

source = dict(
    name="SimVP-gSTA",
    paper="arXiv:2211.12509",
    code="CCU-LANL-AIML/simvp_minimal@be7db3d",
    claimed=dict(),  # nothing is published on this simulation
)
