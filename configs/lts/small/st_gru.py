"""Small ST-GRU for the LTS miniature; trains on a CPU in minutes."""

_base_ = "st_mamba.py"

model = dict(net=dict(temporal="gru"))

source = dict(name="ST-GRU (small)", paper="arXiv:1406.1078")
