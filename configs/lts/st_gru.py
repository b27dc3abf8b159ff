"""ST-GRU on LTS: ST-Mamba with a GRU over time, the same recipe of 50 epochs."""

_base_ = "st_mamba.py"

model = dict(net=dict(temporal="gru"))

source = dict(name="ST-GRU", paper="arXiv:1406.1078")
