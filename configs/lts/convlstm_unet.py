"""ConvLSTM U-Net on LTS, ST-Mamba's recipe of 50 epochs."""

_base_ = "convgru_unet.py"

model = dict(net=dict(type="ConvLSTMUNet"))

source = dict(name="ConvLSTM U-Net", paper="arXiv:1506.04214")
