"""Start the encoder of a method from a pre-training, or from published weights."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from safetensors.torch import save_file
from torch import nn

from openstl_ext import interop
from openstl_ext.engine.pretrained import PretrainedHook
from openstl_ext.errors import CheckpointError
from openstl_ext.interop.export import export
from openstl_ext.layers.position_table import resized_positions
from openstl_ext.models.spectral_vit import SpectralViT
from openstl_ext.registry import METHODS

ENCODER = SpectralViT.toy_arguments()
LARGER = {**ENCODER, "image_size": 24, "trains_positions": True}
DECODER = {"decoder_channels": 16, "decoder_depth": 1, "decoder_num_heads": 2}
BANDS = torch.tensor([[[0, 2, 3]]])


def built(seed: int, block: dict[str, Any]) -> nn.Module:
    torch.manual_seed(seed)
    return METHODS.build(block).eval()


def pretraining(encoder: dict[str, Any] = ENCODER) -> dict[str, Any]:
    net = {"type": "SpectralAutoencoder", "encoder": encoder, **DECODER}
    return {"type": "MaskedAutoencoding", "net": net}


def classification(encoder: dict[str, Any] = ENCODER) -> dict[str, Any]:
    net = {"type": "SpectralViT", **encoder}
    return {
        **{"type": "Classification", "net": net, "num_classes": 3},
        "loss": {"type": "CrossEntropy"},
    }


def segmentation(encoder: dict[str, Any] = ENCODER) -> dict[str, Any]:
    net = {"type": "SpectralSegmenter", "encoder": encoder, "num_classes": 3}
    return {"type": "Segmentation", "net": net, "loss": {"type": "CrossEntropyDice"}}


def start(block: dict[str, Any], **arguments: Any) -> nn.Module:
    """Build another method and start it from a checkpoint."""
    method = built(1, block)
    runner = SimpleNamespace(
        loads_whole=False,
        seed=0,
        model=method,
        cfg=Config({"model": block, "train_dataloader": {}}),
        logger=MMLogger.get_instance("test_pretrained"),
    )
    PretrainedHook(**arguments).before_run(runner)  # type: ignore[arg-type]
    return method


@pytest.fixture
def source() -> Any:
    """Return a pre-training of ours with trained positions."""
    return built(0, pretraining({**ENCODER, "trains_positions": True}))


@pytest.fixture
def checkpoint(source: Any, tmp_path: Path) -> str:
    config = {"model": pretraining()}
    state = {"meta": {"config": config}, "state_dict": source.state_dict()}
    torch.save(state, tmp_path / "pretraining.pth")
    return str(tmp_path / "pretraining.pth")


PARTS = {"classification": (classification, "net"), "segmentation": (segmentation, "net.encoder")}


@pytest.mark.parametrize("task", PARTS)
@pytest.mark.parametrize("encoder", [ENCODER, LARGER], ids=["same size", "larger images"])
def test_an_encoder_starts_from_a_pretraining_with_the_same_features(
    task: str, encoder: dict[str, Any], source: Any, checkpoint: str
) -> None:
    """Fine-tuning would start from other features than those of the pre-training."""
    block, part = PARTS[task]
    method = start(block(encoder), checkpoint=checkpoint, part=part, prefix="net.encoder.")
    frames = torch.rand(2, 1, 3, encoder["image_size"], encoder["image_size"])
    bands = BANDS.expand(2, -1, -1)
    found = method.get_submodule(part)(frames, bands)
    torch.testing.assert_close(found, source.net.encoder(frames, bands), rtol=0, atol=0)


def test_a_pretraining_continues_with_larger_images(source: Any, checkpoint: str) -> None:
    """The decoder would lack positions, or have those of other patches."""
    method: Any = start(pretraining({**ENCODER, "image_size": 24}), checkpoint=checkpoint)
    expected = resized_positions(source.net.decoder.positions, 6, 6)
    torch.testing.assert_close(method.net.decoder.positions.data, expected.data, rtol=0, atol=0)
    frames, mask = torch.rand(2, 1, 3, 24, 24), torch.arange(36).expand(2, -1) % 4 > 0
    bands = BANDS.expand(2, -1, -1)
    found, reference = (m.net(frames, bands, mask) for m in (method, source))
    torch.testing.assert_close(found, reference, rtol=0, atol=0)


@pytest.mark.parametrize("task", PARTS)
def test_a_converted_file_starts_a_part(task: str, tmp_path: Path) -> None:
    """Published weights could be tested, but not fine-tuned for another task."""
    block, part = PARTS[task]
    tuned = built(0, classification())
    weights, metadata = export(tuned, classification())
    save_file(weights, tmp_path / "tuned.safetensors", metadata)
    torch.save(interop.convert(tmp_path / "tuned.safetensors"), tmp_path / "tuned.pth")
    method = start(block(), checkpoint=str(tmp_path / "tuned.pth"), part=part, prefix="net.")
    torch.testing.assert_close(
        method.get_submodule(part).state_dict(), tuned.get_submodule("net").state_dict()
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_heads": 4}, "trained for a net with num_heads=2, but the config has num_heads=4"),
        ({"interpolation": "inverted"}, "set model.net.(encoder.)?interpolation=linear"),
        ({"channels": 8}, "pretraining.pth: the weights do not fit SpectralViT; wrong shape"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("task", PARTS)
def test_an_encoder_that_computes_something_else_is_refused(
    task: str, changes: dict[str, Any], message: str, checkpoint: str
) -> None:
    """Features of other heads or bands would be fine-tuned without a message."""
    block, part = PARTS[task]
    with pytest.raises(CheckpointError, match=message):
        start(
            block({**ENCODER, **changes}), checkpoint=checkpoint, part=part, prefix="net.encoder."
        )
