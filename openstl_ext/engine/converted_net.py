"""Compare the net of the weights in a checkpoint with that of a config."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openstl_ext.errors import CheckpointError
from openstl_ext.registry import MODELS

NOT_IN_WEIGHTS = (
    *("cell", "patch_size", "num_heads"),
    *("decoder_num_heads", "interpolation"),
)
"""Arguments that change a forecast, but not the shape of any weight."""
SIZES = ("channels", "depth", "mlp_ratio", "decoder_channels", "decoder_depth")
"""Arguments that the shapes of the weights show, by which a user knows a published net."""
Arguments = Mapping[str, Any]


def check_converted_net(
    saved: Mapping[str, Any], model: Mapping[str, Any], path: Path | str, *, resizes: bool = False
) -> None:
    """Reject converted weights whose net computes something else than the net of a config.

    Weights of another cell, patch size or number of heads load without an error.

    Args:
        saved: Content of the checkpoint; others than converted ones are not compared.
        model: Model block of the config.
        path: File of the checkpoint, for the message.
        resizes: Whether positions of another size of images are interpolated.

    Raises:
        CheckpointError: If an argument differs.
    """
    meta = saved.get("meta")
    if isinstance(meta, Mapping) and "converted_from" in meta:
        _compare(meta.get("net") or {}, model.get("net"), path, made="converted", resizes=resizes)


def check_pretrained_net(
    saved: Mapping[str, Any], model: Mapping[str, Any], path: Path | str
) -> None:
    """Reject weights of a training of ours, or converted ones, from which a part cannot start.

    Args:
        saved: Content of the checkpoint.
        model: Model block of the config.
        path: File of the checkpoint, for the message.

    Raises:
        CheckpointError: If an argument differs that changes what the weights compute.
    """
    check_converted_net(saved, model, path, resizes=True)
    meta = saved.get("meta")
    trained = meta.get("config") if isinstance(meta, Mapping) else None
    if isinstance(trained, Mapping) and isinstance(trained.get("model"), Mapping):
        theirs = trained["model"].get("net")
        _compare(theirs, model.get("net"), path, made="trained", resizes=True)


def _compare(theirs: Any, ours: Any, path: Path | str, *, made: str, resizes: bool) -> None:
    """Compare two nets: their encoders, and what is around them if both have some."""
    if not isinstance(theirs, Mapping) or not isinstance(ours, Mapping):
        return
    fills = made == "trained"  # a converted file states all that it shows
    (_, inner), (place, own) = _encoder(theirs, fills=fills), _encoder(ours, fills=True)
    _compare_arguments(inner, own, place, path, made=made, resizes=resizes)
    if "encoder" in theirs and "encoder" in ours and theirs["type"] == ours["type"]:
        outer, own = _filled(theirs) if fills else theirs, _filled(ours)
        _compare_arguments(outer, own, "model.net.", path, made=made, resizes=resizes)


def _compare_arguments(
    theirs: Arguments, ours: Arguments, place: str, path: Path | str, *, made: str, resizes: bool
) -> None:
    differing = {
        name: value for name, value in theirs.items() if name in ours and ours[name] != value
    }
    sizes = SIZES if resizes else (*SIZES, "image_size")
    if made == "converted" and (found := [name for name in sizes if name in differing]):
        raise CheckpointError(
            f"{path} is of a net with {_shown(found, theirs)}, but the config has "
            f"{_shown(found, ours)}; use a config of these sizes, or other weights"
        )
    for name in NOT_IN_WEIGHTS:
        if name in differing:
            again = f", or convert again with --net {name}={ours[name]} if that is the net of the "
            raise CheckpointError(
                f"{path} was {made} for a net with {name}={theirs[name]!r}, but the config has "
                f"{name}={ours[name]!r}; set {place}{name}={theirs[name]} (--cfg-options)"
                + (f"{again}weights" if made == "converted" else "")
            )


def _shown(names: list[str], arguments: Arguments) -> str:
    return ", ".join(f"{name}={arguments[name]!r}" for name in names)


def _encoder(net: Arguments, *, fills: bool) -> tuple[str, Arguments]:
    """Return the arguments of the encoder of a net, or its own, and their place in a config."""
    if not isinstance(net.get("encoder"), Mapping):
        return "model.net.", _filled(net) if fills else net
    encoder = net["encoder"]
    # a net around an encoder declares its class
    kind = getattr(MODELS.get(net["type"]), "encoder_type", None)
    filled = _filled({"type": kind, **encoder}) if fills and kind else encoder
    return "model.net.encoder.", filled


def _filled(net: Arguments) -> Arguments:
    """Return the arguments of a net with the defaults of its class."""
    parameters = inspect.signature(MODELS.get(net["type"])).parameters
    return {**{name: parameter.default for name, parameter in parameters.items()}, **net}
