"""SimVP with gated spatiotemporal attention, as in OpenSTL. A recipe sets its shape and widths."""

model = dict(
    type="DirectForecast",
    net=dict(type="SimVP", translator="gsta", mlp_ratio=8.0, drop_path=0.0),
    loss=dict(type="L2"),
)

source = dict(
    name="SimVP-gSTA",
    paper="arXiv:2211.12509",
    code="chengtan9907/OpenSTL@c74deb5",
    claimed=dict(),  # empty unless a recipe sets published scores
)
