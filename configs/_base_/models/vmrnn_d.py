"""VMRNN-D: VMRNN-B with several resolutions, as an encoder and a decoder."""

_base_ = "vmrnn_b.py"

model = dict(net=dict(type="VMRNND"))

source = dict(name="VMRNN-D")
