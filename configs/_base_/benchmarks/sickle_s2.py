"""SICKLE, six dates of Sentinel-2 in a season, paddy or other crops.

A chip of about 32 x 32 pixels of 10 m is resampled to 224 x 224, so that an encoder with patches
of 16 pixels has 14 x 14 tokens and not 2 x 2.
"""

loader = dict(batch_size=32, num_workers=4)
dataset = dict(type="SICKLE", root="data/sickle", sensors=("S2",), num_dates=6, image_size=224)

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="IoU")]
test_evaluator = [*val_evaluator, dict(type="Dice"), dict(type="OverallAccuracy")]
