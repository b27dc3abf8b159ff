"""UPerNet probe of SMARTIES ViT-B on six dates of DynamicEarthNet, with PANGAEA's schedule."""

_base_ = [
    "../_base_/benchmarks/dynamic_earth_net.py",
    "../_base_/tasks/smarties_vit_b_upernet.py",
]

model = dict(net=dict(num_classes=6, num_images=6))

source = dict(
    name="SMARTIES ViT-B (UPerNet probe)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
