"""VMRNN-B without teacher forcing. A recipe sets its channels, depths and patch size."""

model = dict(
    type="RecurrentForecast",
    net=dict(type="VMRNNB", drop_path_prob=0.1),
    teacher_forcing=dict(type="FreeRunning"),
    loss=dict(type="L2"),
)

source = dict(
    name="VMRNN-B",
    paper="arXiv:2403.16536",
    code="yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl",
    claimed=dict(),  # empty unless a recipe sets published scores
)
