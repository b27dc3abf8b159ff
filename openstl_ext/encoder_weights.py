"""Read the encoder in a file of weights, whatever task it was trained for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from openstl_ext.checkpoint_file import SAFETENSORS
from openstl_ext.engine import checkpoint as checkpoints
from openstl_ext.engine.pretrained import resized
from openstl_ext.errors import CheckpointError
from openstl_ext.interfaces import TokenEncoder, provides
from openstl_ext.interop import convert
from openstl_ext.registry import MODELS
from openstl_ext.weight_names import weights_in


def read_encoder(weights: Path | str, net: Mapping[str, Any]) -> nn.Module:
    """Build the encoder of a checkpoint with its weights.

    Args:
        weights: Published weights of SMARTIES, a checkpoint of a training with one of its nets, a
            converted one, or a work directory, of which the best checkpoint is taken.
        net: Arguments of the encoder in place of those of the training.

    Raises:
        CheckpointError: If there is no such file, it does not state its net, or the net has no
            encoder with features of patches.
        ConfigError: If the encoder has no such argument.
    """
    path = checkpoints.best(weights) if Path(weights).is_dir() else Path(weights)
    if path.suffix.lower() == SAFETENSORS:
        content = convert(path, stated={"decoder_num_heads": 1, **net})  # the decoder is not used
    else:
        content = checkpoints.read(path)
    block = _net_of(content, path)
    kind = MODELS.get(block["type"])
    if provides(kind, TokenEncoder):
        arguments, prefix = block, "net."
    elif isinstance(block.get("encoder"), Mapping) and hasattr(kind, "encoder_type"):
        arguments, prefix = {"type": kind.encoder_type, **block["encoder"]}, "net.encoder."
    else:
        raise CheckpointError(
            f"{path} is of a {block['type']}, which has no encoder with features of patches; use "
            "weights of SMARTIES"
        )
    encoder: nn.Module = MODELS.build({**arguments, **net})
    state = weights_in(content, path)
    own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    try:
        checkpoints.load_weights(encoder, resized(encoder, own))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    return encoder


def _net_of(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the config of the net of a checkpoint.

    Raises:
        CheckpointError: If it states none.
    """
    meta = content.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    config = meta.get("config")
    model = config.get("model") if isinstance(config, Mapping) else None
    net = meta.get("net") or (model.get("net") if isinstance(model, Mapping) else None)
    if not isinstance(net, Mapping) or "type" not in net:
        raise CheckpointError(
            f"{path} does not state its net; use a checkpoint of openstl-ext train, published "
            "weights (.safetensors), or a file of openstl-ext convert"
        )
    return dict(net)
