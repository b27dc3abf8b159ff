"""Nearest neighbours of SMARTIES ViT-B on UC-Merced: nothing is trained, so only `test` runs it."""

_base_ = [
    "../_base_/benchmarks/uc_merced_evaluation.py",
    "../_base_/tasks/smarties_vit_b_neighbours.py",
]

model = dict(
    num_classes=21,
)

bank = dict(**_base_.dataset, split="train")
val_cfg = dict(type="NeighbourValLoop", bank=bank)
test_cfg = dict(type="NeighbourTestLoop", bank=bank)

source = dict(
    name="SMARTIES ViT-B (k-NN)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
