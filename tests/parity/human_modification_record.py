"""Replay the record of a Human Modification forecaster, including the parts that others lack."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from openstl_ext.methods.multi_horizon_regression import MultiHorizonRegression
from openstl_ext.models.quantile_convlstm import QuantileConvLSTM
from openstl_ext.profiling.flops import count_flops
from openstl_ext.structures import Inputs
from tests.parity import recipe
from tests.parity.drivers import human_modification_inputs
from tests.parity.network_record import NetworkRecord, distance, relative
from tests.parity.quantity import Quantity

LEVELS = (0.025, 0.975)


def replay(record: Mapping[str, Any]) -> Iterator[Quantity]:
    """Yield all quantities: those of every net, the cost, and the rollout or isolated gradients."""
    part = NetworkRecord(record)
    yield from part.replay()
    if "flops_fvcore" in record:
        method, inputs = method_and_inputs(part)
        horizon = getattr(method.net, "num_horizons", 1)
        count = count_flops(method, inputs, horizon)
        yield relative("flops_fvcore", count.total, record["flops_fvcore"])
    if "rollout" in record:
        method, inputs = method_and_inputs(part)
        recorded = record["rollout"]
        with torch.no_grad():
            forecast = method.forecast(inputs, recorded["horizons"])["forecast"]
        yield distance(f"rollout[{recorded['horizons']}]", forecast, recorded["output"])
    if "isolated" in record:
        yield from isolated(part)


def method_and_inputs(part: NetworkRecord) -> tuple[MultiHorizonRegression, Inputs]:
    """Build the method around a new net, and convert the recorded inputs."""
    net = part.build().net
    method = MultiHorizonRegression(
        net=net,
        strategy="direct" if isinstance(net, QuantileConvLSTM) else "autoregressive",
        quantile_levels=LEVELS if isinstance(net, QuantileConvLSTM) else (),
        terms={"mse": {"loss": {"type": "L2"}}},
    )
    inputs: Inputs = {**human_modification_inputs(part.inputs)}  # type: ignore[typeddict-item]
    return method.eval(), inputs


def isolated(part: NetworkRecord) -> Iterator[Quantity]:
    """Yield both losses and their gradients, computed in one backward pass."""
    recorded, net = part.record["isolated"], part.build().net
    assert isinstance(net, QuantileConvLSTM)
    inputs = human_modification_inputs(part.inputs)
    frames = inputs.pop("frames")
    shape = (len(frames), net.num_horizons, *frames.shape[3:])
    (target,) = recipe.inputs({"inputs": [{"shape": shape, "seed": recorded["y_seed"]}]})
    predicted = net(frames, **inputs)
    central = (predicted.forecast - target).square().mean()
    quantiles = sum(
        torch.maximum(q * error, (q - 1) * error).mean()
        for error, q in ((target - predicted.quantiles[:, k], q) for k, q in enumerate(LEVELS))
    )
    (central + quantiles).backward()
    yield relative("isolated.central_loss", central.item(), recorded["central_loss"])
    yield relative("isolated.quantile_loss", quantiles.item(), recorded["quantile_loss"])
    trunk = nn.ModuleList([net.trunk, net.central])  # as in the record
    heads = nn.ModuleList([net.lower, net.upper])
    for name, module in (("trunk", trunk), ("quantile_heads", heads)):
        yield relative(f"isolated.{name}_grad_l2", norm(module), recorded[f"{name}_grad_l2"])


def norm(module: nn.Module) -> float:
    """Compute the Euclidean norm of all gradients of a module."""
    grads = [p.grad.double().norm() for p in module.parameters() if p.grad is not None]
    return torch.stack(grads).norm().item()
