"""VMRNN-B on KTH, ten frames in and 40 out, by the recipe of its script for one GPU."""

_base_ = [
    "../_base_/benchmarks/kth_10to40.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(
    type="RecurrentForecast",
    net=dict(
        type="VMRNNB",
        in_channels=1,
        channels=128,
        depths=(6,),
        patch_size=2,
        drop_path_prob=0.1,
    ),
    feed=dict(type="FreeRunning"),
    loss=dict(type="L2"),
    recompute_steps=True,  # or one sample of all its steps takes more than 12 GB
)

train_cfg = dict(max_epochs=100)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_dataloader = dict(batch_size=1)

source = dict(
    name="VMRNN-B",
    paper="arXiv:2403.16536",
    code="yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl",
    claimed=dict(),  # no figure that could be checked; the PSNR of its paper wraps around bytes
)
