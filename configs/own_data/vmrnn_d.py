"""VMRNN-D on frames of a user, with the net and the schedule of its KTH recipe."""

_base_ = [
    "../_base_/models/vmrnn_d.py",
    "../_base_/benchmarks/imported_frames.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=1, channels=128, depths_down=(2, 2), depths_up=(2, 2), patch_size=2),
    recompute_steps=True,  # memory that does not grow with the number of steps
)

train_cfg = dict(max_epochs=50)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
