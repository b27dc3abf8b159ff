"""VMRNN-D on KTH, ten frames in and 20 out, by the recipe that VMRNN-B has there."""

_base_ = [
    "../_base_/benchmarks/kth_10to20.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(
    type="RecurrentForecast",
    net=dict(
        type="VMRNND",
        in_channels=1,
        channels=128,
        depths_down=(2, 2),
        depths_up=(2, 2),
        patch_size=2,
        drop_path_prob=0.1,
    ),
    feed=dict(type="FreeRunning"),
    loss=dict(type="L2"),
    recompute_steps=True,  # or one sample of all its steps takes more than 12 GB
)

# no recipe of VMRNN-D is published for KTH: depths as with MSE on Moving MNIST,
# the rest as VMRNN-B
train_cfg = dict(max_epochs=100)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_dataloader = dict(batch_size=4)

source = dict(
    name="VMRNN-D",
    paper="arXiv:2403.16536",
    code="yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl",
    claimed=dict(),  # no figure of VMRNN-D on this set is known to us
)
