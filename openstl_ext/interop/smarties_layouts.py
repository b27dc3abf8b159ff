"""Files of weights of SMARTIES: layouts of its pre-training and of its downstream tasks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any

import msgspec
from torch import nn

from openstl_ext.errors import CheckpointError, DataError
from openstl_ext.interop.checkpoints import OWN_METADATA, ForeignFile, Found, recognises
from openstl_ext.interop.export import exports
from openstl_ext.interop.segmentation_unets import renamed
from openstl_ext.interop.smarties import AUTOENCODER, SMARTIES, TOKENS
from openstl_ext.interop.state_dict_adapter import NoAdapterError, StateDictAdapter
from openstl_ext.registry import METHODS
from openstl_ext.spectrum import Band, Interpolation, Spectrum

PROJECTION = "spectrum_projection.spectrum_embeds."
HEADS = {512: 16, 768: 12, 1024: 16, 1280: 16}
"""Heads of the attention at a width of tokens, in the published encoders and their decoder."""

# (ours, theirs): regular expressions, applied in this order to a key of one of our methods.
VECTOR = (
    (r"^net\.encoder\.", ""),
    (r"^net\.mean_norm\.", "fc_norm."),
    *TOKENS,
)
PROBE = ((r"^head\.", "head.1."), (r"^feature_norm\.", "head.0."), *VECTOR)
DENSE = ((r"^net\.encoder\.encoder\.", ""), (r"^net\.head\.", "head.0."), *TOKENS)
PRETRAINING = ((r"^net\.", ""), *AUTOENCODER)
PLACED = re.compile(r"net\.(encoder|decoder|mean_norm|head)\.|head\.|feature_norm\.")
"""Keys of ours that have a name in the published files."""


class NotInWeights(msgspec.Struct, kw_only=True):
    """Arguments that no weight shows, in the metadata of a file that we have exported.

    Args:
        num_heads: Heads of the attention in the encoder.
        decoder_num_heads: Heads of the attention in the decoder.
        interpolation: How bands without learned weights are interpolated.
        spectrum: Bands by name, if it is not the published spectrum.
    """

    num_heads: int | None = None
    decoder_num_heads: int | None = None
    interpolation: Interpolation | None = None
    spectrum: dict[str, Band] | None = None


@recognises(SMARTIES)
def smarties_arguments(file: ForeignFile) -> Found | None:
    """Infer task and sizes from the weights of a file."""
    weights = file.weights
    if not {"cls_token", "pos_embed", f"{PROJECTION}0.proj.weight"} <= weights.keys():
        return None
    sizes = _Sizes(file)
    encoder, net = sizes.encoder(), "SpectralViT"
    method: dict[str, Any] = {"type": "Classification", "num_classes": 0, "num_images": 1}
    arguments: dict[str, Any] = encoder
    if "mask_token" in weights:
        net, arguments = "SpectralAutoencoder", {"encoder": encoder, **sizes.decoder()}
        method = {"type": "MaskedAutoencoding"}
    elif "head.0.weight" in weights:
        arguments = {"encoder": encoder, "num_classes": sizes.of("head.0.weight", 4)[0]}
        net, method = "SpectralSegmenter", {"type": "Segmentation"}
    elif "head.weight" in weights or "head.1.weight" in weights:
        is_probe = "head.1.weight" in weights
        classes, width = sizes.of("head.1.weight" if is_probe else "head.weight", 2)
        images, rest = divmod(width, encoder["channels"])
        if rest:
            raise CheckpointError(
                f"{file.path}: the head reads {width} features, which is no multiple of the "
                f"{encoder['channels']} of an image"
            )
        method |= {"num_classes": classes, "num_images": images}
        method |= {"frozen": is_probe, "standardises_features": is_probe}
        encoder["trains_positions"] = not is_probe
    else:
        method = {}
    built = _built(net, arguments, method)
    adapter = StateDictAdapter(built, renamed(built, _names_of(built)), arguments=arguments)
    # the type alone follows from the net, so it does not help a user
    stated = method if len(method) > 1 else {}
    return Found(SMARTIES, _class_of(net), {}, {"type": net}, adapter=adapter, method=stated)


def _class_of(net: str) -> str:
    return "SMARTIES" if net == "SpectralAutoencoder" else "SmartiesVisionTransformer"


def _built(net: str, arguments: Mapping[str, Any], method: Mapping[str, Any]) -> nn.Module:
    """Build the method of a file; around an encoder without a head, one that has no weights."""
    block: dict[str, Any] = {"net": {"type": net, **arguments}, **method}
    if not method:
        block |= {"type": "NearestNeighbours", "num_classes": 2}
    elif method["type"] != "MaskedAutoencoding":
        block["loss"] = {"type": "CrossEntropy"}
    return METHODS.build(block)


@exports("SpectralViT", "SpectralAutoencoder", "SpectralSegmenter")
def published_layout(
    method: nn.Module, model: Mapping[str, Any]
) -> tuple[StateDictAdapter, Mapping[str, Any]]:
    """Return the adapter of a method around a net of SMARTIES.

    Raises:
        NoAdapterError: If it has weights for which the published files have no name.
    """
    theirs = renamed(method, _names_of(method))
    if strange := [key for key in theirs if not PLACED.match(key)]:
        raise NoAdapterError(
            f"{len(strange)} weights, such as {strange[0]}, have no place in the files of "
            "SMARTIES, which have a linear head on single images and no statistics of data; "
            "export the checkpoint of a pre-training or of such a head"
        )
    outer = model["net"]
    if outer.get("pooling") == "normed_mean":
        raise NoAdapterError(
            "pooling='normed_mean' is unknown to the published code, which would compute other "
            "features from this file; export weights with pooling='class' or 'mean'"
        )
    encoder: Any = method.get_submodule("net.encoder" if "encoder" in outer else "net")
    given = {**outer, **outer.get("encoder", {})}
    spectrum: Spectrum = encoder.spectrum
    extra = NotInWeights(
        num_heads=given.get("num_heads", 12),
        decoder_num_heads=given.get("decoder_num_heads", 16),
        interpolation=given.get("interpolation", "linear"),
        spectrum=None if spectrum.learned == Spectrum.read().learned else dict(spectrum.bands),
    )
    return StateDictAdapter(method, theirs), msgspec.to_builtins(extra)


def _names_of(method: nn.Module) -> tuple[tuple[str, str], ...]:
    """Return the renaming of the keys of a method."""
    net = type(method.get_submodule("net")).__name__
    if net != "SpectralViT":
        return PRETRAINING if net == "SpectralAutoencoder" else DENSE
    return VECTOR if getattr(method, "feature_norm", None) is None else PROBE


@dataclass(frozen=True)
class _Sizes:
    """Arguments of the nets of a file, from the shapes of its weights."""

    file: ForeignFile

    def of(self, key: str, ndim: int) -> tuple[int, ...]:
        """Return the shape of a weight.

        Raises:
            CheckpointError: If it is missing or has another number of axes.
        """
        shape = tuple(self.file.weights[key].shape) if key in self.file.weights else None
        if shape is None or len(shape) != ndim:
            raise CheckpointError(
                f"{self.file.path}: {key} has the shape {shape}, expected {ndim} axes as in the "
                "files of SMARTIES; download the file again"
            )
        return shape

    def side(self, key: str, number: int) -> int:
        """Return the side of a square.

        Raises:
            CheckpointError: If the number is no square.
        """
        if isqrt(max(number, 0)) ** 2 != number or number < 1:
            raise CheckpointError(
                f"{self.file.path}: {key} is that of {number} pixels or patches, which are no "
                "square; only square patches and images are supported"
            )
        return isqrt(number)

    def blocks(self, name: str) -> dict[str, Any]:
        """Return depth and ratio of the MLP of blocks."""
        weights = self.file.weights
        depth = sum(key.startswith(name) and key.endswith(".norm1.weight") for key in weights)
        hidden, width = self.of(f"{name}0.mlp.fc1.weight", 2)
        return {"depth": depth, "mlp_ratio": hidden / width}

    def encoder(self) -> dict[str, Any]:
        """Return the arguments of the encoder."""
        key = f"{PROJECTION}0.proj.weight"
        channels, values = self.of(key, 2)
        patch = self.side(key, values)
        own, stated = _not_in_weights(self.file), _stated(self.file)
        arguments: dict[str, Any] = {
            "image_size": patch * self.side("pos_embed", self.of("pos_embed", 3)[1] - 1),
            "patch_size": patch,
            "channels": channels,
            **self.blocks("blocks."),
            "num_heads": self.heads("num_heads", channels, own.num_heads),
            "interpolation": own.interpolation or stated.get("interpolation", "inverted"),
        }
        if "fc_norm.weight" in self.file.weights:
            arguments["pooling"] = "mean"
        return arguments | self.spectrum(own.spectrum or stated.get("spectrum"))

    def spectrum(self, given: Any) -> dict[str, Any]:
        """Return the argument for another spectrum than the published one.

        Raises:
            CheckpointError: If the spectrum has another number of learned bands than the weights.
        """
        keys = self.file.weights
        found = sum(key.startswith(PROJECTION) and key.endswith(".proj.weight") for key in keys)
        spectrum = Spectrum.of(given)
        if found != len(spectrum.learned):
            name = "the published spectrum" if given is None else "the given spectrum"
            raise CheckpointError(
                f"{self.file.path} has projections of {found} bands, but {name} has "
                f"{len(spectrum.learned)} learned bands; add --net spectrum=FILE.json with the "
                "spectrum of the weights"
            )
        return {} if given is None else {"spectrum": msgspec.to_builtins(given)}

    def decoder(self) -> dict[str, Any]:
        """Return the arguments of the decoder of the pre-training."""
        channels = self.of("decoder_embed.weight", 2)[0]
        own = _not_in_weights(self.file).decoder_num_heads
        return {
            "decoder_channels": channels,
            "decoder_depth": self.blocks("decoder_blocks.")["depth"],
            "decoder_num_heads": self.heads("decoder_num_heads", channels, own),
        }

    def heads(self, name: str, channels: int, own: int | None) -> int:
        """Return a number of heads of attention, which no weight shows.

        Raises:
            CheckpointError: If it neither follows from a published width nor is stated.
        """
        stated = _stated(self.file)
        if own is not None or (name not in stated and channels in HEADS):
            return own or HEADS[channels]
        if name not in stated:
            return int(self.file.demand(name, f"a divisor of {channels}"))
        return int(stated[name])


def _stated(file: ForeignFile) -> dict[str, Any]:
    """Return the arguments that a user or a config states, also those of a part."""
    return {**file.stated, **file.stated.get("encoder", {})}


def _not_in_weights(file: ForeignFile) -> NotInWeights:
    """Return the metadata of a file that we have exported; nothing for others.

    Raises:
        CheckpointError: If they are not of this form.
    """
    try:
        return msgspec.json.decode(file.arguments.get(OWN_METADATA, "{}"), type=NotInWeights)
    except (msgspec.DecodeError, DataError) as error:
        raise CheckpointError(
            f"{file.path}: the metadata {OWN_METADATA} of the file are not those of an export "
            f"({error}); export it again"
        ) from None
