"""Pre-training step of SMARTIES, ViT-S, batch 8 of Sentinel-2 (12 bands) and Sentinel-1 (2 bands).

The baseline computes the same loss with the same weights in the published order: the bands of each
sensor are repeated up to twelve, a loop over the bands gathers the patches of each and scatters
their tokens, so do the heads, the streams are two passes, and the attention is not fused. On a GPU
the step is compared with the time that its operations take at the rate of a large matrix product.
"""

import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.harness import NotMeasured, Row, compare, no_bf16
from openstl_ext.layers.patches import band_patches
from openstl_ext.layers.transformer_block import TransformerBlock
from openstl_ext.methods.masked_autoencoding import MaskedAutoencoding
from openstl_ext.models.spectral_autoencoder import SpectralAutoencoder
from openstl_ext.structures import Inputs

BATCH, SIZE, MOST = 8, 224, 12
OPTICAL = (0, 1, 4, 6, 7, 8, 10, 9, 11, 12, 13, 14)
RADAR = (15, 16)
VIT_S = {"channels": 384, "depth": 12, "num_heads": 6}
DECODER = {"decoder_channels": 256, "decoder_depth": 4, "decoder_num_heads": 8}
LOOP = "loop over bands, unfused attention"
PEAK = "SMARTIES ViT-S, pre-training step, batch {}, share of the bf16 peak"
SHARES = {BATCH: 0.02, 256: 0.3}
"""Share to reach at each batch: at the small one, starting kernels takes most of the time."""


def rows() -> Iterator[Row | NotMeasured]:
    torch.manual_seed(0)
    net = SpectralAutoencoder(encoder=VIT_S, **DECODER)
    method = MaskedAutoencoding(net=net)  # type: ignore[arg-type]
    images = torch.randn(BATCH, 2, MOST, SIZE, SIZE)
    images[:, 1, len(RADAR) :] = 0
    bands = torch.full((BATCH, 2, MOST), -1)
    bands[:, 0] = torch.tensor(OPTICAL)
    bands[:, 1, : len(RADAR)] = torch.tensor(RADAR)
    inputs = Inputs(frames=images, bands=bands)
    length = (SIZE // net.patch_size) ** 2
    source, mask = (
        method.source(torch.rand(BATCH, length), 2),
        method.mask(torch.rand(BATCH, length)),
    )
    assert source is not None
    with torch.no_grad():
        ours, theirs = (
            method.terms(inputs, mask, source)["loss_hidden"],
            loss(net, inputs, mask, source),
        )
        # a variance over repeated bands has another n - 1
        torch.testing.assert_close(ours, theirs, rtol=2e-3, atol=0)

    def step(published: bool, dtype: torch.dtype | None = None) -> None:
        net.zero_grad()
        with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
            value = (
                loss(net, inputs, mask, source)
                if published
                else method.terms(inputs, mask, source)["loss_hidden"]
            )
        value.backward()

    label = f"SMARTIES ViT-S, pre-training step, batch {BATCH}"
    taken = compare(lambda: step(True), lambda: step(False), rounds=5)
    yield Row(f"{label}, float32", f"{LOOP}, float32", *taken, goal=1.5)
    for name, dtype, goal in (("float32", None, 2.5), ("bf16", torch.bfloat16, 1.5)):
        if reason := no_bf16():
            yield NotMeasured(f"{label}, bf16", reason)
            break

        def baseline(dtype: torch.dtype | None = dtype) -> None:
            step(True, dtype)

        taken = compare(baseline, lambda: step(False, torch.bfloat16), rounds=5)
        yield Row(f"{label}, bf16", f"{LOOP}, {name}", *taken, goal=goal)
    for batch, goal in SHARES.items():
        if torch.cuda.is_available():
            yield share_of_peak(method, inputs, batch, goal, torch.device("cuda"))
        else:
            yield NotMeasured(PEAK.format(batch), "this machine has no GPU")


def share_of_peak(
    method: MaskedAutoencoding,
    inputs: Inputs,
    batch: int,
    goal: float,
    device: torch.device,
    size: int = 8192,
) -> Row:
    """Return a row whose ratio is the share of bf16 peak that a pre-training step reaches.

    The peak is the measured rate of a product of two square matrices.

    Args:
        method: Method to measure.
        inputs: Images of two sensors, repeated up to the batch.
        batch: Samples of a step.
        goal: Share to reach.
        device: Where it is measured.
        size: Rows of the matrices.
    """
    method.to(device)
    sample = torch.arange(batch) % len(inputs["frames"])
    there = Inputs(
        frames=inputs["frames"].to(device)[sample], bands=inputs["bands"].to(device)[sample]
    )
    left, right = torch.randn(2, size, size, device=device, dtype=torch.bfloat16)

    def step() -> None:
        method.zero_grad()
        with torch.autocast(device.type, torch.bfloat16):
            value = method.loss(there, {})["loss_hidden"]
        value.backward()

    counter = FlopCounterMode(display=False)
    with counter:
        step()
    rate = 2 * size**3 / elapsed(lambda: left @ right, device)
    return Row(
        PEAK.format(batch),
        f"the same operations at {rate / 1e12:.3g} TFLOP/s, as a large matrix product",
        counter.get_total_flops() / rate,
        elapsed(step, device),
        goal=goal,
        unit="ms",
    )


def elapsed(call: Callable[[], object], device: torch.device, rounds: int = 10) -> float:
    """Return the median seconds of a call, after two that are not measured."""
    taken = []
    for turn in range(rounds + 2):
        start = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if turn >= 2:
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def loss(net: SpectralAutoencoder, inputs: Inputs, mask: Tensor, source: Tensor) -> Tensor:
    """Return the loss in the published order."""
    frames, bands = inputs["frames"], inputs["bands"]
    streams = []
    for t in (0, 1):
        there = [c for c in range(MOST) if bands[0, t, c] >= 0]
        repeated = there * (MOST // len(there))
        indices = bands[:, t, repeated]
        patches = band_patches(frames[:, t, repeated], net.patch_size)
        tokens = projected(net, patches, indices)
        per_patch = indices[:, None].expand(-1, patches.shape[1], -1)
        streams.append((tokens, patches, per_patch))
    total = torch.zeros(())
    for t in (0, 1):
        own = source[:, t] == 0
        tokens, patches, indices = (
            torch.where(own.view(*own.shape, *[1] * (a.ndim - 2)), a, b)
            for a, b in zip(*streams, strict=True)
        )
        predicted = reconstructed(net, tokens, indices, mask).float()
        values = patches.flatten(2)
        variance, mean = torch.var_mean(values, dim=-1, keepdim=True)
        target = (values - mean) / (variance + 1e-6).sqrt()
        error = (predicted - target).square().mean(-1)
        total = total + (error * mask).sum() / (mask.sum() + 1e-6) / 2
    return total


def projected(net: SpectralAutoencoder, patches: Tensor, indices: Tensor) -> Tensor:
    """Project the bands of all patches, one band after another."""
    projection = net.encoder.encoder.projection
    index = indices[:, None].expand(patches.shape[:3])
    tokens: Tensor | None = None
    for band in index.unique().tolist():
        chosen = index == band
        found = projection.spectrum_embeds[band].proj(patches[chosen])
        if tokens is None:
            tokens = found.new_zeros(*index.shape, found.shape[-1])
        tokens[chosen] = found
    assert tokens is not None
    return projection.scale * tokens.mean(dim=2)


def reconstructed(
    net: SpectralAutoencoder, tokens: Tensor, indices: Tensor, mask: Tensor
) -> Tensor:
    """Encode and decode one stream, and reconstruct its bands one after another."""
    inner, decoder = net.encoder.encoder, net.decoder
    tokens = tokens + inner.positions[:, 1:]
    shown = tokens[~mask].view(len(mask), -1, tokens.shape[-1])
    first = (inner.class_token + inner.positions[:, :1]).expand(len(mask), -1, -1)
    hidden = torch.cat([first, shown], dim=1)
    for block in inner.blocks:
        hidden = unfused(block, hidden)
    embedded = decoder.embed(inner.norm(hidden))
    full = decoder.hidden_token.to(embedded.dtype).repeat(len(mask), mask.shape[1], 1)
    full[~mask] = embedded[:, 1:].flatten(0, 1)
    hidden = torch.cat([embedded[:, :1], full], dim=1) + decoder.positions
    for block in decoder.blocks:
        hidden = unfused(block, hidden)
    hidden = decoder.norm(hidden)[:, 1:, None].expand(-1, -1, MOST, -1)
    values: Tensor | None = None
    for band in indices.unique().tolist():
        chosen = indices == band
        found = decoder.heads[band](hidden[chosen])
        if values is None:
            values = found.new_zeros(*indices.shape, found.shape[-1])
        values[chosen] = found
    assert values is not None
    return values.flatten(2)


def unfused(block: TransformerBlock, tokens: Tensor) -> Tensor:
    """Run a block whose attention is three operations."""
    normed = block.attention_norm(tokens)
    shape = (*normed.shape[:2], 3, block.num_heads, -1)
    query, key, value = block.attend(normed).view(shape).permute(2, 0, 3, 1, 4)
    weights = (query * query.shape[-1] ** -0.5 @ key.transpose(-2, -1)).softmax(-1)
    mean = (weights @ value).transpose(1, 2).flatten(2)
    tokens = tokens + block.mix(mean)
    return tokens + block.narrow(F.gelu(block.widen(block.mlp_norm(tokens))))
