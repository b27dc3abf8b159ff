"""Synthetic scenes of Sentinel-1, ten classes of land cover, 32 x 32 pixels."""

loader = dict(batch_size=50, num_workers=0)
dataset = dict(
    type="Scenes",
    root="data/sensor_scenes/scenes/sentinel1_grd",
    sensor="sentinel1_grd",
    name="scenes_sentinel1_grd",
    image_size=32,
)

val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="OverallAccuracy")]
test_evaluator = [*val_evaluator, dict(type="AverageAccuracy"), dict(type="CohenKappa")]
