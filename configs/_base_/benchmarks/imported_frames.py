"""Frames of a user, imported by ``openstl-ext data import``.

``--recipe NAME --data FOLDER`` fills in the folder, the lengths and the shape of the net, and adds
PSNR and SSIM with the range of the data.
"""

dataset = dict(type="ImportedFrames", root="data/mine")

train_dataloader = dict(batch_size=8, dataset=dict(**dataset, split="train"))
val_dataloader = dict(batch_size=8, dataset=dict(**dataset, split="val"))
test_dataloader = dict(batch_size=8, dataset=dict(**dataset, split="test"))

# the first metric selects the best checkpoint
val_evaluator = [dict(type="MeanMSE"), dict(type="MeanMAE")]
test_evaluator = [dict(type="MeanMSE"), dict(type="MeanMAE"), dict(type="MeanRMSE")]
