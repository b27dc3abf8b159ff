"""Adapters for the Human Modification forecasters: one horizon, or several with intervals."""

from itertools import product
from typing import Any

from openstl_ext.errors import CheckpointError
from openstl_ext.interop.checkpoints import ForeignFile, Found, recognises
from openstl_ext.interop.convlstm import one_convolution_cell
from openstl_ext.interop.state_dict_adapter import (
    Kwargs,
    NoAdapterError,
    StateDictAdapter,
    register_adapter,
)
from openstl_ext.interop.weight_transforms import WeightTransform
from openstl_ext.models.covariate_convlstm import CovariateConvLSTM
from openstl_ext.models.quantile_convlstm import QuantileConvLSTM

SOURCE = "GMoncrieff/spatio-temporal"
CLASS = "SpatioTemporalPredictor"
OF_SEVERAL_HORIZONS = (
    *("num_static_channels", "num_dynamic_channels", "use_location_encoder"),
    *("locenc_backbone", "locenc_hparams", "locenc_out_channels"),
)
"""Arguments of the version of the class that predicts several horizons at once."""
ENCODER = "location_encoder.neural_network."


@register_adapter(CLASS, SOURCE)
def predictor(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the version of the class that its arguments belong to."""
    shared = {
        "hidden_channels": kwargs.get("hidden_dim", 16),
        "kernel_size": kwargs.get("kernel_size", 3),
        "num_layers": kwargs.get("num_layers", 1),
    }
    if any(name in kwargs for name in OF_SEVERAL_HORIZONS):
        return _several(kwargs, shared)
    net = CovariateConvLSTM(**shared)
    heads = {f"head.{part}": f"head.{part}" for part in ("weight", "bias")}
    return StateDictAdapter(net, {**_trunk(net), **heads}, arguments=shared)


def _several(kwargs: Kwargs, shared: dict[str, Any]) -> StateDictAdapter:
    arguments = {
        **shared,
        "dynamic_channels": kwargs.get("num_dynamic_channels", 1) - 1,  # theirs count the target
        "static_channels": kwargs.get("num_static_channels", 1),
        **_location(kwargs),
    }
    net = QuantileConvLSTM(**arguments)
    theirs = _trunk(net)
    for name, index in product(("central", "lower", "upper"), range(net.num_horizons)):
        for part in ("0.weight", "0.bias", "2.weight", "2.bias"):
            theirs[f"{name}.{index}.{part}"] = f"{name}_heads.{index}.{part}"
    if net.location is not None:
        last = len(net.location.net.layers) - 1
        for index in range(last + 1):
            layer = "last_layer" if index == last else f"layers.{index}"
            for part in ("weight", "bias"):
                theirs[f"location.net.layers.{index}.{part}"] = f"{ENCODER}{layer}.{part}"
    return StateDictAdapter(net, theirs, arguments=arguments)


def _location(kwargs: Kwargs) -> dict[str, int]:
    """Convert the arguments of the location encoding."""
    channels = kwargs.get("locenc_out_channels", 8)
    if not kwargs.get("use_location_encoder", True) or channels == 0:
        return {"location_channels": 0}
    backbone = tuple(kwargs.get("locenc_backbone", ("sphericalharmonics", "siren")))
    sizes = kwargs.get("locenc_hparams") or {}
    if backbone != ("sphericalharmonics", "siren") or sizes.get("num_layers", 2) != 2:
        raise NoAdapterError(
            "the only location encoder with an adapter is spherical harmonics with a SIREN of two "
            f"layers, got {' and '.join(backbone)} with {dict(sizes)}"
        )
    return {
        "location_channels": channels,
        "harmonic_degrees": sizes.get("legendre_polys", 10),
        "location_hidden": sizes.get("dim_hidden", 64),
    }


def _trunk(net: CovariateConvLSTM | QuantileConvLSTM) -> dict[str, str | WeightTransform]:
    keys: dict[str, str | WeightTransform] = {}
    for index in range(len(net.trunk.cells)):
        keys |= one_convolution_cell(f"trunk.cells.{index}.", f"convlstm.cell_list.{index}.")
    return keys


@recognises(SOURCE)
def predictor_arguments(file: ForeignFile) -> Found | None:
    """Infer the arguments of either version from its weights and its hyper-parameters."""
    weights = file.weights
    first = next((k for k in weights if k.endswith("convlstm.cell_list.0.conv.weight")), None)
    if first is None:
        return None
    under = first.removesuffix("convlstm.cell_list.0.conv.weight")
    own = {k.removeprefix(under): v for k, v in weights.items() if k.startswith(under)}
    gates, all_in, kernel, _ = weights[first].shape
    kwargs: dict[str, Any] = {
        "hidden_dim": gates // 4,
        "kernel_size": kernel,
        "num_layers": sum(k.endswith(".conv.weight") for k in own if k.startswith("convlstm.")),
    }
    if "head.weight" in own:
        return Found(SOURCE, CLASS, kwargs, under=under)
    if "central_heads.0.0.weight" not in own:
        return None
    features = own.get(f"{ENCODER}last_layer.weight")
    located = 0 if features is None else len(features)
    covariates = all_in - gates // 4 - located - 1
    static = _static_channels(file, covariates)
    kwargs |= {
        "num_dynamic_channels": 1 + covariates - static,
        "num_static_channels": static,
        "use_location_encoder": features is not None,
    }
    if "locenc_backbone" in file.arguments:
        kwargs["locenc_backbone"] = file.arguments["locenc_backbone"]
    if features is not None:
        harmonics = own[f"{ENCODER}layers.0.weight"].shape[1]
        sizes = {"legendre_polys": round(harmonics**0.5), "dim_hidden": features.shape[1]}
        kwargs |= {"locenc_out_channels": located, "locenc_hparams": sizes}
    return Found(SOURCE, CLASS, kwargs, under=under)


def _static_channels(file: ForeignFile, covariates: int) -> int:
    """Return how many covariates are static; the weights show the number of all only.

    Raises:
        CheckpointError: If the file does not contain it and it is not stated, or it does not fit.
    """
    if covariates == 0:
        return 0
    if "num_static_channels" in file.arguments:
        static = file.arguments["num_static_channels"]
        dynamic = file.arguments.get("num_dynamic_channels", 1) - 1  # theirs count the target
    elif "dynamic_channels" in file.stated and "static_channels" not in file.stated:
        dynamic = file.stated["dynamic_channels"]
        static = covariates - dynamic
    else:
        static = file.demand("static_channels", f"0 to {covariates} of its {covariates} covariates")
        dynamic = file.stated.get("dynamic_channels", covariates - static)
    if min(static, dynamic) < 0 or static + dynamic != covariates:
        raise CheckpointError(
            f"static_channels={static} and dynamic_channels={dynamic} do not fit {file.path}, "
            f"whose net has {covariates} covariates"
        )
    return int(static)
