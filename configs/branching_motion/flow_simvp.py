"""Flow matching with SimVP's parts on branching motion; trains on a CPU in minutes."""

_base_ = ["flow_unet.py"]

model = dict(
    net=dict(
        _delete_=True,
        type="DenoisingSimVP",
        in_channels=1,
        num_inputs=4,
        num_targets=4,
        spatial_channels=8,
        temporal_channels=64,
    ),
)

source = dict(name="Flow matching (SimVP)")
