"""A small SimVP-gSTA that trains on a CPU in two minutes."""

_base_ = [
    "../_base_/benchmarks/boiling_small_10to10.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    type="DirectForecast",
    net=dict(
        type="SimVP",
        in_shape=(10, 1, 32, 32),
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

train_cfg = dict(max_epochs=20)
param_scheduler = [
    dict(
        type="OneCycleLR",
        by_epoch=False,
        eta_max=5e-3,  # five times the full size's: few steps, and a net this small bears it
        pct_start=0.3,
        div_factor=25.0,
        final_div_factor=1e4,
    ),
    dict(type="OneCycleMomentum", by_epoch=False, smallest=0.85, largest=0.95, pct_start=0.3),
]

source = dict(
    name="SimVP-gSTA (small)",
    paper="arXiv:2211.12509",
    code="CCU-LANL-AIML/simvp_minimal@be7db3d",
    claimed=dict(),  # nothing is published on this simulation
)
