"""VMRNN-D on TaxiBJ, by the recipe that VMRNN-B has there: 200 epochs."""

_base_ = [
    "../_base_/benchmarks/taxibj_4to4.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(
    type="RecurrentForecast",
    net=dict(
        type="VMRNND",
        in_channels=2,
        channels=128,
        depths_down=(2, 2),
        depths_up=(2, 2),
        patch_size=2,
        drop_path_prob=0.1,
    ),
    feed=dict(type="FreeRunning"),
    loss=dict(type="L2"),
)

# no recipe of VMRNN-D is published for TaxiBJ: depths as with MSE on Moving MNIST,
# the rest as VMRNN-B
train_cfg = dict(max_epochs=200)
optim_wrapper = dict(optimizer=dict(lr=4e-4))

source = dict(
    name="VMRNN-D",
    paper="arXiv:2403.16536",
    code="yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl",
    claimed=dict(),  # no figure of VMRNN-D on this set is known to us
)
