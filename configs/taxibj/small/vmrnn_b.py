"""Small VMRNN-B for the TaxiBJ miniature; trains on a CPU in minutes."""

_base_ = [
    "../../_base_/models/vmrnn_b.py",
    "../../_base_/benchmarks/taxibj_miniature_4to4.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=2, channels=32, depths=(2,), patch_size=4, drop_path_prob=0.0),
)

train_cfg = dict(max_epochs=20)
optim_wrapper = dict(optimizer=dict(lr=2e-3))

source = dict(name="VMRNN-B (small)", code="yyyujintang/VMRNN-PyTorch@8e6cfb7")
