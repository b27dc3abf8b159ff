"""Small ConvLSTM U-Net for the LTS miniature; trains on a CPU in minutes."""

_base_ = "convgru_unet.py"

model = dict(net=dict(type="ConvLSTMUNet"))

source = dict(name="ConvLSTM U-Net (small)", paper="arXiv:1506.04214")
