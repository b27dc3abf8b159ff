"""TaxiBJ 4 to 4 on its synthetic miniature, which `openstl-ext data taxibj --miniature` writes."""

_base_ = "taxibj_4to4.py"

loader = dict(batch_size=8, dataset=dict(root="data/miniature/taxibj"))

train_dataloader = loader
val_dataloader = loader
test_dataloader = loader
