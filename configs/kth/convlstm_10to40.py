"""ConvLSTM on KTH, 10 to 40 frames, OpenSTL's recipe of 100 epochs."""

_base_ = [
    "../_base_/models/convlstm.py",
    "../_base_/benchmarks/kth_10to40.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=1, hidden=(128, 128, 128, 128), patch_size=2, cell="corrected"),
)

train_cfg = dict(max_epochs=100)

# nothing is claimed: OpenSTL has no table of forty frames
