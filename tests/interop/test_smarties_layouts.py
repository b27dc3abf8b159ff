"""Files of weights of SMARTIES: read, and written back under the same names."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from openstl_ext import interop
from openstl_ext.engine.checkpoint import load_weights, read
from openstl_ext.errors import CheckpointError
from openstl_ext.interop.export import export
from openstl_ext.models.spectral_vit import SpectralViT
from openstl_ext.registry import METHODS

ENCODER = SpectralViT.toy_arguments()
VECTOR = {"type": "SpectralViT", **ENCODER}
TASK = {"type": "Classification", "num_classes": 3, "loss": {"type": "CrossEntropy"}}
DECODER = {"decoder_channels": 16, "decoder_depth": 2, "decoder_num_heads": 4}
SEGMENTER = {"type": "SpectralSegmenter", "encoder": ENCODER, "num_classes": 8}
DENSE = {"type": "Segmentation", "net": SEGMENTER, "loss": {"type": "CrossEntropyDice"}}

LAYOUTS: dict[str, tuple[dict[str, Any], dict[str, tuple[int, ...]]]] = {
    "pre-training": (
        {
            "type": "MaskedAutoencoding",
            "net": {"type": "SpectralAutoencoder", "encoder": ENCODER, **DECODER},
        },
        {"mask_token": (1, 1, 16), "decoder_preds.3.weight": (16, 16), "norm.weight": (16,)},
    ),
    "encoder": (
        {"type": "NearestNeighbours", "net": VECTOR, "num_classes": 3},
        {"cls_token": (1, 1, 16), "pos_embed": (1, 17, 16), "blocks.0.attn.qkv.bias": (48,)},
    ),
    "fine-tuning": ({**TASK, "net": VECTOR}, {"head.weight": (3, 16), "norm.bias": (16,)}),
    "mean of all patches": (
        {**TASK, "net": {**VECTOR, "pooling": "mean"}},
        {"head.bias": (3,), "fc_norm.weight": (16,)},
    ),
    "linear probe": (
        {**TASK, "net": VECTOR, "standardises_features": True, "frozen": True},
        {"head.0.running_mean": (16,), "head.0.num_batches_tracked": (), "head.1.weight": (3, 16)},
    ),
    "linear probe of two sources": (
        {**TASK, "net": VECTOR, "standardises_features": True, "num_images": 2},
        {"head.0.running_var": (32,), "head.1.weight": (3, 32)},
    ),
    "segmentation": (DENSE, {"head.0.weight": (8, 16, 1, 1), "norm.weight": (16,)}),
}


def built(block: dict[str, Any]) -> nn.Module:
    torch.manual_seed(0)
    method = METHODS.build(block)
    for value in method.state_dict().values():  # norms and biases start with equal values
        if value.is_floating_point():
            value.normal_()
    return method


def published(block: dict[str, Any], path: Path, **metadata: str) -> Path:
    """Write weights as the publisher does, without our metadata."""
    save_file(export(built(block), block)[0], path, {"format": "pt", **metadata})
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_exported_weights_are_converted_back_bit_for_bit(layout: str, tmp_path: Path) -> None:
    """Weights that a user publishes, or downloads, would be those of another net."""
    block, shapes = LAYOUTS[layout]
    method, path = built(block), tmp_path / "weights.safetensors"
    weights, metadata = export(method, block)
    save_file(weights, path, metadata)
    theirs = load_file(path)
    assert {key: tuple(theirs[key].shape) for key in shapes} == shapes

    state = interop.convert(path)
    again = METHODS.build({**block, **state["meta"].get("method", {}), "net": state["meta"]["net"]})
    load_weights(again, state["state_dict"])
    torch.testing.assert_close(again.state_dict(), method.state_dict(), rtol=0, atol=0)
    assert again.state_dict().keys() == method.state_dict().keys()


def test_a_published_file_shows_all_but_the_inverted_interpolation(tmp_path: Path) -> None:
    """A released file would need arguments that its readers cannot know."""
    encoder = {"channels": 768, "depth": 1, "mlp_ratio": 0.5, "image_size": 48}
    block = {**TASK, "net": {"type": "SpectralViT", **encoder}}
    state = interop.convert(published(block, tmp_path / "vitb.safetensors"))
    assert state["meta"]["net"] == {
        **{"type": "SpectralViT", "patch_size": 16, "num_heads": 12, "trains_positions": True},
        **{"interpolation": "inverted"},
        **encoder,
    }
    assert state["meta"]["method"]["num_classes"] == 3


def test_what_no_weight_shows_is_demanded(tmp_path: Path) -> None:
    """Weights would be used with another number of heads, without a message."""
    path = published(LAYOUTS["pre-training"][0], tmp_path / "small.safetensors")
    spectrum = {"spectrum": ENCODER["spectrum"]}
    with pytest.raises(CheckpointError, match=r"projections of 4 bands, but the published .* 17"):
        interop.convert(path, stated={"num_heads": 2, "decoder_num_heads": 4})
    with pytest.raises(CheckpointError, match="add --net num_heads=VALUE"):
        interop.convert(path, stated=spectrum)
    with pytest.raises(CheckpointError, match="add --net decoder_num_heads=VALUE"):
        interop.convert(path, stated={**spectrum, "num_heads": 2})
    stated = {"encoder": {**spectrum, "num_heads": 2}, "decoder_num_heads": 4}
    net = interop.convert(path, stated=stated)["meta"]["net"]
    assert net["encoder"]["num_heads"] == 2
    assert net["encoder"]["interpolation"] == "inverted"


def changed(weights: dict[str, Tensor], **changes: Any) -> dict[str, Tensor]:
    kept = {key: value for key, value in weights.items() if key not in changes}
    return kept | {key: value for key, value in changes.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pos_embed": torch.zeros(1, 11, 16)}, "pos_embed is that of 10 pixels or patches"),
        ({"head.weight": torch.zeros(3, 20)}, "reads 20 features, which is no multiple of the 16"),
        ({"head.weight": torch.zeros(3)}, r"head.weight has the shape \(3,\), expected 2 axes"),
        ({"norm.bias": None}, "missing: norm.bias"),
        ({"extra": torch.zeros(1)}, "unknown: extra"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value,
)
def test_weights_of_another_layout_are_one_sentence(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """A user would see a traceback, or get a net that computes something else."""
    block = LAYOUTS["fine-tuning"][0]
    weights, metadata = export(built(block), block)
    save_file(changed(weights, **changes), tmp_path / "odd.safetensors", metadata)
    with pytest.raises(CheckpointError, match=f"odd.safetensors.*{message}"):
        interop.convert(tmp_path / "odd.safetensors")


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    """A download that was cut short would end in a traceback."""
    path = published(LAYOUTS["encoder"][0], tmp_path / "whole.safetensors")
    data = path.read_bytes()
    for content in (data[: len(data) // 2], data[:5], b"<html>not found</html>", b""):
        (tmp_path / "cut.safetensors").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"cut.safetensors cannot be read .* download"):
            interop.convert(tmp_path / "cut.safetensors")
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        interop.convert(tmp_path / "nowhere.safetensors")
    published(LAYOUTS["encoder"][0], path, openstl_ext='{"num_heads": "two"}')
    with pytest.raises(CheckpointError, match=r"metadata openstl_ext .*num_heads"):
        interop.convert(path)


def test_a_published_file_as_a_checkpoint_is_refused_with_the_command(tmp_path: Path) -> None:
    """A user would not find out that the file has to be converted."""
    path = published(LAYOUTS["encoder"][0], tmp_path / "vitb.safetensors")
    with pytest.raises(CheckpointError, match=r"convert it first: openstl-ext convert .* vitb.pth"):
        read(path)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({**DENSE, "net": {**SEGMENTER, "head": "upernet", "channels": 8}}, "net.pyramid"),
        ({**DENSE, "net": {**SEGMENTER, "num_images": 2}}, "net.image_weights"),
        (
            {
                "type": "DirectForecast",
                "net": {"type": "SimVP", "in_shape": (2, 1, 8, 8), "spatial_channels": 4},
                "loss": {"type": "L2"},
            },
            "weights of SimVP have no published layout",
        ),
        ({**TASK, "net": {**VECTOR, "pooling": "normed_mean"}}, "would compute other features"),
    ],
    ids=["UPerNet", "several images", "SimVP", "pooling"],
)
def test_weights_without_a_published_layout_are_refused(
    block: dict[str, Any], message: str
) -> None:
    """A file would lack weights, and its reader would use random ones."""
    with pytest.raises(interop.NoAdapterError, match=message):
        export(METHODS.build(block), block)
