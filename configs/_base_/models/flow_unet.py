"""Flow matching with a small U-Net. A recipe sets its frames and widths."""

model = dict(
    type="FlowForecast",
    objective="flow_matching",
    num_steps=8,
    num_members=8,
    net=dict(type="DenoisingUNet"),
)

source = dict(
    name="Flow matching (U-Net)",
    paper="arXiv:2210.02747",
    code="own",
    claimed=dict(),  # nothing is published for these nets
)
