"""Four U-Nets of other initial weights on branching motion: each forecasts the same mean."""

_base_ = ["unet.py"]

model = dict(type="EnsembleForecast", num_members=4)

source = dict(name="U-Net (4 initial weights)", paper="arXiv:1612.01474")
