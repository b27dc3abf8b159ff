"""Replay a record of SMARTIES' pre-training: mixing, mask, predictions, loss and gradients."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from openstl_ext.methods.masked_autoencoding import MaskedAutoencoding
from openstl_ext.structures import Inputs
from tests.parity.network_record import NetworkRecord, distance, relative
from tests.parity.quantity import Quantity


def replay(record: dict[str, Any]) -> Iterator[Quantity]:
    """Compare every recorded quantity; the reference mixes the first stream only."""
    part = NetworkRecord(record)
    yield part.size()
    inputs = inputs_of(record, part.inputs)
    noise = [
        torch.from_numpy(np.random.RandomState(seed).rand(*record["noise"]["shape"])).float()
        for seed in record["noise"]["seeds"]
    ]
    match = part.build()
    method = method_of(record, match.net)
    source, mask = method.source(noise[0], 2), method.mask(noise[1])
    yield exact("extra.mask", mask, record["extra"]["mask"])
    with torch.no_grad():
        flat = match.net(inputs["frames"], inputs["bands"], mask, source)
        predicted = torch.cat(flat.chunk(2, dim=2))
        features = match.net.encoder(inputs["frames"][:, :1], inputs["bands"][:, :1])
    yield distance("output", predicted, record["output"])
    yield distance("knn_feats.output", features, record["knn_feats"]["output"])

    method.train()
    loss = method.terms(inputs, mask, source)["loss_hidden"]
    loss.backward()
    yield relative("extra.loss", loss.item(), record["extra"]["loss"])
    yield relative("train.loss", loss.item(), record["train"]["loss"])
    grads = match.split({k: p.grad for k, p in match.net.named_parameters() if p.grad is not None})
    for key, norm in record["train"]["grad_l2"].items():
        yield relative(f"train.grad_l2[{key}]", grads[key].double().norm().item(), norm)
    frozen = {k for k, p in match.net.named_parameters() if not p.requires_grad}
    theirs = set(match.split({k: torch.zeros(()) for k in frozen}))
    yield Quantity("train.params_frozen", float(theirs != set(record["train"]["params_frozen"])))
    yield from drawn_by_torch(record, method, inputs)


def drawn_by_torch(
    record: dict[str, Any], method: MaskedAutoencoding, inputs: Inputs
) -> Iterator[Quantity]:
    """Compare the loss of the method with random numbers of its own, and the mask."""
    recorded = record["with_torch_manual_seed_0"]
    torch.manual_seed(0)
    with torch.no_grad():
        loss = method.loss(inputs, {})["loss_hidden"]
    yield relative("with_torch_manual_seed_0.loss", loss.item(), recorded["loss"])
    torch.manual_seed(0)
    _, noise = (torch.rand(record["noise"]["shape"]) for _ in range(2))
    yield exact("with_torch_manual_seed_0.mask", method.mask(noise), recorded["mask"])


def inputs_of(record: dict[str, Any], patches: list[Tensor]) -> Inputs:
    """Return the images and bands of recorded patches (B, h, w, C, p, p)."""
    images = [each.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3) for each in patches]
    bands = record["band_projection_indices"]
    rows = [torch.tensor(value) for value in bands.values()]
    return {"frames": torch.stack(images, dim=1), "bands": torch.stack(rows, dim=1)}


def method_of(record: dict[str, Any], net: nn.Module) -> MaskedAutoencoding:
    """Build the method as the reference computes."""
    return MaskedAutoencoding(
        net=net,  # type: ignore[arg-type]
        mask_ratio=record["mask_ratio"],
        mixing="one_sided",
        normalises_patches=record["kwargs"]["norm_pix_loss"],
    ).eval()


def exact(name: str, ours: Tensor, recorded: list[list[int]]) -> Quantity:
    """Compare a mask."""
    return Quantity(name, float((ours.int() != torch.tensor(recorded)).any()))
