"""ConvLSTM on frames of a user, with the net and the schedule of OpenSTL's Moving MNIST."""

_base_ = [
    "../_base_/models/convlstm.py",
    "../_base_/benchmarks/imported_frames.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=1, hidden=(128, 128, 128, 128), patch_size=4, cell="corrected"),
    # scheduled sampling would feed observed frames for its 50,000 iterations, which own data
    # rarely reach
    teacher_forcing=dict(_delete_=True, type="FreeRunning"),
)

train_cfg = dict(max_epochs=50)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [dict(**_base_.cycle, eta_max=5e-4), _base_.momentum]
