"""ConvLSTM with scheduled sampling, as in OpenSTL. A recipe sets its channels and patch size."""

model = dict(
    type="RecurrentForecast",
    net=dict(type="ConvLSTM", kernel_size=5),
    teacher_forcing=dict(type="ScheduledSampling", start=1.0, rate=2e-5, stop=50_000),
    loss=dict(type="L2"),
)

source = dict(
    name="ConvLSTM",
    paper="arXiv:1506.04214",
    code="chengtan9907/OpenSTL@c74deb5",
    claimed=dict(),  # empty unless a recipe sets published scores
)
