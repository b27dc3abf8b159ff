"""Synthetic pairs: RGB with Sentinel-2, Sentinel-2 with Sentinel-1, 32 x 32 pixels.

The encoder is validated by its nearest neighbours among scenes of Sentinel-2.
"""

pairs = (
    dict(name="optical", root="optical", sensors=("rgb", "sentinel2_l2a")),
    dict(name="radar", root="radar", sensors=("sentinel2_l2a", "sentinel1_grd")),
)
scenes = dict(
    type="Scenes",
    root="data/sensor_scenes/scenes/sentinel2_l2a",
    sensor="sentinel2_l2a",
    image_size=32,
)

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    dataset=dict(
        type="SensorPairs",
        root="data/sensor_scenes",
        pairs=pairs,
        image_size=32,
        split="train",
        augment=True,
        crop_area=(1.0, 1.0),  # classes differ by the scale of their patterns
        in_memory=True,
    ),
)
val_dataloader = dict(batch_size=32, num_workers=0, dataset=dict(**scenes, split="val"))
val_evaluator = [dict(type="OverallAccuracy")]
val_cfg = dict(type="NeighbourValLoop", bank=dict(**scenes, split="train"))
