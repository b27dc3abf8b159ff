"""Adapters for SMARTIES: its spectrum, its projection of spectral bands, and its encoder."""

from collections.abc import Mapping
from typing import Any

import msgspec
from torch import nn

from openstl_ext.errors import ConfigError
from openstl_ext.interop.segmentation_unets import renamed
from openstl_ext.interop.state_dict_adapter import Kwargs, StateDictAdapter, register_adapter
from openstl_ext.layers.spectrum_projection import SpectrumProjection
from openstl_ext.models.spectral_autoencoder import SpectralAutoencoder
from openstl_ext.models.spectral_vit import SpectralViT
from openstl_ext.spectrum import Band, Spectrum

SMARTIES = "gsumbul/SMARTIES"

# (ours, theirs): regular expressions, applied in this order to a key of ours.
TOKENS = (
    (r"^class_token$", "cls_token"),
    (r"^positions$", "pos_embed"),
    (r"^projection\.", "spectrum_projection."),
    (r"\battention_norm\.", "norm1."),
    (r"\battend\.", "attn.qkv."),
    (r"\bmix\.", "attn.proj."),
    (r"\bmlp_norm\.", "norm2."),
    (r"\bwiden\.", "mlp.fc1."),
    (r"\bnarrow\.", "mlp.fc2."),
)

ENCODER = (
    (r"^features\.(encoder\.)?", ""),
    (r"^mean_norm\.", "fc_norm."),
    *TOKENS,
)

AUTOENCODER = (
    (r"^encoder\.encoder\.", ""),
    (r"^decoder\.embed\.", "decoder_embed."),
    (r"^decoder\.hidden_token$", "mask_token"),
    (r"^decoder\.positions$", "decoder_pos_embed"),
    (r"^decoder\.norm\.", "decoder_norm."),
    (r"^decoder\.heads\.", "decoder_preds."),
    (r"^decoder\.blocks\.", "decoder_blocks."),
    *TOKENS,
)


def spectrum_of(specs: Mapping[str, Mapping[str, Any]]) -> Spectrum:
    """Convert the content of ``spectrum_specs.yaml``.

    PyYAML reads its ``5.5e7`` as text, so wavelengths are converted here.

    Args:
        specs: Entries by name, with ``min_wavelength``, ``max_wavelength``, ``projection_idx`` (-1
            for a band without a projection) and ``agg_projections``.

    Raises:
        ConfigError: If an entry lacks one of these, or refers to an index that no entry has.
        DataError: If the entries are not a spectrum.
    """
    try:
        names = {entry["projection_idx"]: name for name, entry in specs.items()}
        bands = {
            name: Band(
                min_nm=float(entry["min_wavelength"]),
                max_nm=float(entry["max_wavelength"]),
                label=entry.get("name", ""),
                sensors=tuple(entry.get("sensors", ())),
                index=None if entry["projection_idx"] < 0 else entry["projection_idx"],
                interpolated_from=_sources(entry["agg_projections"], names),
            )
            for name, entry in specs.items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"spectrum_specs: {type(error).__name__}: {error}; expected the entries of "
            "SMARTIES' spectrum_specs.yaml"
        ) from None
    return Spectrum(bands, "spectrum_specs")


def _sources(indices: list[int], names: Mapping[int, str]) -> tuple[str, str] | None:
    if not indices:
        return None
    first, second = (names[index] for index in indices)
    return first, second


@register_adapter("SpectrumAwareProjection", SMARTIES)
def spectrum_projection(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the projection of bands, with its inverted interpolation."""
    spectrum = spectrum_of(kwargs["spectrum_specs"])
    arguments = {
        "patch_values": kwargs["patch_size"] ** 2,
        "dim": kwargs["embed_dim"],
        "learned": len(spectrum.learned),
        "mixing": spectrum.mixing("inverted").tolist(),
        "scale": 1.0,
    }
    net = SpectrumProjection(**arguments)
    return StateDictAdapter(net, renamed(net, ()), arguments=arguments)


@register_adapter("SmartiesVisionTransformer", SMARTIES)
def vision_transformer(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the encoder, with a linear head unless it returns all tokens."""
    arguments = {
        **encoder_arguments(kwargs),
        "pooling": "mean" if kwargs["global_pool"] and not kwargs["all_tokens"] else "class",
        "trains_positions": True,
    }
    features = SpectralViT(**arguments)
    net: nn.Module = features.encoder
    if not kwargs["all_tokens"]:
        sources = kwargs["num_sources"] if kwargs["multi_modal"] else 1
        head = nn.Linear(sources * kwargs["embed_dim"], kwargs["num_classes"])
        net = nn.ModuleDict({"features": features, "head": head})
    return StateDictAdapter(net, renamed(net, ENCODER), arguments=arguments)


@register_adapter("SMARTIES", SMARTIES)
def masked_autoencoder(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the masked autoencoder."""
    arguments = {
        "encoder": encoder_arguments(kwargs),
        "decoder_channels": kwargs["decoder_embed_dim"],
        "decoder_depth": kwargs["decoder_depth"],
        "decoder_num_heads": kwargs["decoder_num_heads"],
    }
    net = SpectralAutoencoder(**arguments)
    return StateDictAdapter(net, renamed(net, AUTOENCODER), arguments=arguments)


def encoder_arguments(kwargs: Kwargs) -> dict[str, Any]:
    """Return the arguments of ``SpectralViT`` for those of a class of SMARTIES."""
    spectrum = spectrum_of(kwargs["spectrum_specs"])
    return {
        "image_size": kwargs["img_size"],
        "patch_size": kwargs["patch_size"],
        "channels": kwargs["embed_dim"],
        "depth": kwargs["depth"],
        "num_heads": kwargs["num_heads"],
        "mlp_ratio": kwargs["mlp_ratio"],
        "spectrum": {name: msgspec.to_builtins(band) for name, band in spectrum.bands.items()},
        "interpolation": "inverted",
    }
