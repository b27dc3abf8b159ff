"""EDM diffusion with a small U-Net. A recipe sets its frames and widths."""

_base_ = "flow_unet.py"

model = dict(objective="edm", num_steps=12)

source = dict(name="EDM (U-Net)", paper="arXiv:2206.00364")
