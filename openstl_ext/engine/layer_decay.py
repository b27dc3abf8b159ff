"""Learning rates that fall from the head of a transformer to its embeddings."""

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mmengine.logging import MMLogger, print_log
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from torch import nn

from openstl_ext.errors import ConfigError
from openstl_ext.registry import OPTIM_WRAPPER_CONSTRUCTORS

NAME = "LayerDecayConstructor"
BLOCK = re.compile(r"(?P<stack>(?:.*?\.)?blocks)\.(?P<number>\d+)\.")
DECAYS = ("flat_decay_mult", "norm_decay_mult", "bias_decay_mult", "dwconv_decay_mult")


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecayConstructor(DefaultOptimWrapperConstructor):
    """Multiply the learning rate of each layer of a transformer by a power of ``layer_decay``.

    Parameters registered before the blocks (projections, class token, positions) are layer 0,
    block i is layer i + 1, and what is registered after the blocks (norm, head, decoder) is layer
    depth + 1. The rate of a layer is multiplied by ``layer_decay ** (depth + 1 - layer)``.
    Parameters that a net has itself are registered before its parts; it names those that belong to
    its head in ``head_parameters``.
    Parameters of equal options share a group, in the order of the parameters of the method.

    Args:
        optim_wrapper_cfg: Config of the wrapper with its optimiser, which has ``lr``.
        paramwise_cfg: ``layer_decay``, above 0 and at most 1, and mmengine's other factors, which
            multiply.

    Raises:
        ConfigError: If the optimiser has no ``lr``, or the net has no ``blocks``, or several
            stacks of them of which not exactly one is an encoder's.

    Source:
        Bao et al., BEiT (arXiv:2106.08254); ``param_groups_layer_decay`` of timm.

    Deviations:
        SMARTIES calls timm's function, but its optimiser does not use the factors. timm gives the
        norm after the blocks the rate of the last block; here, as in BEiT, it has that of the head.
    """

    def __call__(self, model: nn.Module) -> OptimWrapper:
        if self.base_lr is None:
            raise ConfigError("layer_decay needs a learning rate; set optim_wrapper.optimizer.lr")
        logger = MMLogger.get_current_instance()
        logger.addFilter(_is_no_list)
        try:
            return super().__call__(model)
        finally:
            logger.removeFilter(_is_no_list)

    def add_params(
        self,
        params: list[dict[str, Any]],
        module: nn.Module,
        prefix: str = "",
        is_dcn_module: int | float | None = None,
    ) -> None:
        """Add the groups of a module; mmengine calls it again for each part with its prefix."""
        super().add_params(params, module, prefix, is_dcn_module)
        if prefix:
            return
        names = {parameter: name for name, parameter in module.named_parameters()}
        net = type(getattr(module, "net", module)).__name__
        layers = layers_of(list(names.values()), net, head_parameters(module))
        last = max(layers.values())
        for group in params:
            layer = layers[names[group["params"][0]]]
            factor = self.paramwise_cfg["layer_decay"] ** (last - layer)
            group["lr"] = group.get("lr", self.base_lr) * factor
        params[:] = merged(params)
        rates = [group["lr"] for group in params]
        print_log(
            f"learning rates of {last + 1} layers: {min(rates):.3g} to {max(rates):.3g}, times "
            "that of a schedule",
            logger="current",
        )


def head_parameters(module: nn.Module) -> set[str]:
    """Return the names of parameters that a part declares as those of its head."""
    return {
        f"{prefix}.{name}".removeprefix(".")
        for prefix, part in module.named_modules()
        for name in getattr(part, "head_parameters", ())
    }


def layers_of(names: list[str], net: str, head: Collection[str] = ()) -> dict[str, int]:
    """Return the layer of each parameter of a method.

    Args:
        names: Names of the parameters, in the order of their registration.
        net: Name of the net, for messages.
        head: Names of parameters that belong to the last layer, wherever they are registered.

    Raises:
        ConfigError: If the order of the layers is not known.
    """
    matches = {name: match for name in names if (match := BLOCK.match(name))}
    stack = stack_of(Counter(match["stack"] for match in matches.values()), net)
    inside = {n: int(m["number"]) + 1 for n, m in matches.items() if m["stack"] == stack}
    last, layer, found = max(inside.values()) + 1, 0, {}
    for name in names:
        if name in inside:
            layer = last
        found[name] = last if name in head else inside.get(name, layer)
    return found


def stack_of(stacks: Mapping[str, int], net: str) -> str:
    """Return the name of the blocks of the encoder: those of the only stack, or of an encoder.

    Raises:
        ConfigError: If there are none, or several.
    """
    remedy = f'remove layer_decay and constructor="{NAME}" from optim_wrapper'
    if not stacks:
        raise ConfigError(
            f"optim_wrapper.paramwise_cfg.layer_decay: {net} has no blocks, so the order of its "
            f"layers is unknown; {remedy}"
        )
    of_encoder = [name for name in stacks if "encoder" in name.split(".")]
    chosen = list(stacks) if len(stacks) == 1 else of_encoder
    if len(chosen) != 1:
        raise ConfigError(
            f"optim_wrapper.paramwise_cfg.layer_decay: {net} has several stacks of blocks "
            f"({', '.join(stacks)}), so the order of its layers is unknown; {remedy}"
        )
    return chosen[0]


def merged(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return groups of equal options as one, in the order of their first parameters.

    A fused optimiser updates a group in one call; mmengine makes a group for each parameter.
    """
    found: dict[str, dict[str, Any]] = {}
    for group in groups:
        options = {key: value for key, value in group.items() if key != "params"}
        same = found.setdefault(repr(sorted(options.items())), {"params": [], **options})
        same["params"] += group["params"]
    return list(found.values())


def paramwise_problems(wrapper: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each factor of ``paramwise_cfg`` that cannot act.

    Args:
        wrapper: Config of the optimiser wrapper.
    """
    paramwise = wrapper.get("paramwise_cfg") or {}
    where, is_decayed = "optim_wrapper.paramwise_cfg", "layer_decay" in paramwise
    by_layer = str(wrapper.get("constructor", "")).rpartition(".")[2] == NAME
    if is_decayed and not by_layer:
        yield (
            f"{where}.layer_decay: it has no effect without its constructor; set "
            f'optim_wrapper.constructor="{NAME}"'
        )
    if by_layer and not is_decayed:
        yield (
            f"optim_wrapper.constructor: {NAME} needs a factor; set {where}.layer_decay, or "
            "remove the constructor"
        )
    optimizer = wrapper.get("optimizer") or {}
    given = [key for key in DECAYS if paramwise.get(key) is not None]
    if given and optimizer.get("weight_decay") is None:
        yield (
            f"{where}.{given[0]}: it has no effect on the default weight decay of an optimiser; "
            "set optim_wrapper.optimizer.weight_decay"
        )


def _is_no_list(record: logging.LogRecord) -> bool:
    """Drop mmengine's lines for each parameter, which fill several screens."""
    text = record.getMessage()
    return not (text.startswith("paramwise_options") or "is skipped since its" in text)
