"""Nearest neighbours of SMARTIES ViT-L on EuroSAT: nothing is trained, so only `test` runs it."""

_base_ = [
    "../_base_/benchmarks/eurosat_evaluation.py",
    "../_base_/tasks/smarties_vit_l_neighbours.py",
]

model = dict(
    num_classes=10,
)

bank = dict(**_base_.dataset, split="train")
val_cfg = dict(type="NeighbourValLoop", bank=bank)
test_cfg = dict(type="NeighbourTestLoop", bank=bank)

source = dict(
    name="SMARTIES ViT-L (k-NN)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
