"""Pairs of fMoW (RGB, Sentinel-2 L1C) and of BigEarthNet (Sentinel-2 L2A, Sentinel-1), 224 x 224.

An update of eight processes has 2,048 pairs, as published. ``openstl-ext data pair-sensors`` writes
the lists. The encoder is validated by its nearest neighbours on EuroSAT.
"""

pairs = (
    dict(
        name="fmow",
        root="fmow",
        list="fmow_{split}.txt",
        sensors=("rgb", "sentinel2_l1c"),
    ),
    dict(
        name="bigearthnet",
        root="bigearthnet",
        list="bigearthnet_{split}.txt",
        sensors=("sentinel2_l2a", "sentinel1_grd"),
    ),
)

train_dataloader = dict(
    batch_size=256,
    num_workers=8,
    dataset=dict(
        type="SensorPairs", root="data/sensor_pairs", pairs=pairs, split="train", augment=True
    ),
)

eurosat = dict(type="EuroSAT", root="data/eurosat")
val_dataloader = dict(batch_size=256, num_workers=4, dataset=dict(**eurosat, split="val"))
val_evaluator = [dict(type="OverallAccuracy")]
val_cfg = dict(type="NeighbourValLoop", bank=dict(**eurosat, split="train"), k=20)
