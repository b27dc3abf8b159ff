"""Small SimVP-gSTA on NewDataset."""

_base_ = ["boiling/simvp_gsta_small"]

custom_imports = dict(imports=["new_dataset"])

dataset = dict(_delete_=True, type="NewDataset", root="data/new_dataset")
train_dataloader = dict(dataset=dict(**dataset, split="train"))
val_dataloader = dict(dataset=dict(**dataset, split="val"))
test_dataloader = dict(dataset=dict(**dataset, split="test"))

source = dict(name="SimVP-gSTA (NewDataset)")
