"""Synthetic scenes of Sentinel-2, ten classes of land cover, 32 x 32 pixels."""

loader = dict(batch_size=50, num_workers=0)
dataset = dict(
    type="Scenes",
    root="data/sensor_scenes/scenes/sentinel2_l2a",
    sensor="sentinel2_l2a",
    name="scenes_sentinel2_l2a",
    image_size=32,
)

val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="OverallAccuracy")]
test_evaluator = [*val_evaluator, dict(type="AverageAccuracy"), dict(type="CohenKappa")]
