"""Replay the record of a network: output, rollouts, loss, gradients, size and cost."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from openstl_ext import interop
from openstl_ext.interfaces import DenseModel, FrameModel, RecurrentModel
from openstl_ext.layers.drop_path import DropPath
from openstl_ext.layers.memory_format import published_order
from openstl_ext.methods.base import Method
from openstl_ext.methods.direct_forecast import DirectForecast
from openstl_ext.methods.recurrent_forecast import RecurrentForecast
from openstl_ext.methods.segmentation import Segmentation
from openstl_ext.profiling.flops import count_flops
from tests.parity import recipe
from tests.parity.drivers import driver, forecast_of, frames_of, recorded_at
from tests.parity.quantity import TOLERANCE, Quantity

NOISE = 1e-6
"""A gradient norm below this share of the largest consists of rounding errors."""

MOVES, ROUNDING = 8, 1e-7
"""How many moved inputs are tried, and by how much of themselves their values move."""


def is_off(quantity: Quantity) -> bool:
    """Return whether a gradient differs from the record."""
    return "grad" in quantity.name and quantity.error > TOLERANCE


def moved_by_rounding(inputs: list[Tensor]) -> Iterator[list[Tensor]]:
    """Yield the inputs with each value moved by about one rounding error of float32."""
    for seed in range(MOVES):
        draw = torch.Generator().manual_seed(seed)
        yield [x * (1 + ROUNDING * torch.randn(x.shape, generator=draw)) for x in inputs]


class NetworkRecord:
    """A record and our net for it, which is built again for every part.

    Args:
        record: A golden record.

    Raises:
        NoAdapterError: If there is no adapter for the class.
    """

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = record
        self.inputs = recipe.inputs(record)
        self.weights = recipe.weights(record)
        self.match = self.build()

    def build(self) -> interop.StateDictAdapter:
        """Build our net with the recorded weights, in eval mode."""
        source, kwargs = self.record["reference"]["repo"], self.record["kwargs"]
        match = interop.adapter_of(source, self.record["class"], kwargs)
        own = match.split(match.net.state_dict())
        left = {key: own[key] for key in self.record.get("left", ()) if key in own}
        match.load({**self.weights, **left})
        match.net.eval()
        torch.manual_seed(0)
        return match

    def replay(self) -> Iterator[Quantity]:
        """Yield every recorded quantity."""
        yield self.size()
        with torch.no_grad():
            driven = driver(self.record)(self.build().net, self.record, self.inputs)
        for name, ours in driven.items():
            recorded = recorded_at(self.record, name)
            if isinstance(ours, Tensor) and recorded is not None:
                yield distance(name, ours, recorded)
            elif recorded is not None:
                yield relative(name, ours, recorded)
        yield from self.rollouts()
        for part in ("train", "train_nodrop"):
            if part in self.record:
                yield from self.training(part)
        if "active_drop_modules" in self.record:
            yield self.drop_probs()
        yield from self.flops()

    def size(self) -> Quantity:
        """Compare the number of parameters, including those that only the reference has."""
        ours = sum(p.numel() for p in self.match.net.parameters())
        theirs = sum(w.numel() for k, w in self.weights.items() if self.match.is_unused(k))
        return relative("n_params", ours + theirs, self.record["n_params"])

    def rollouts(self) -> Iterator[Quantity]:
        """Compare forecasts that are shorter or longer than the output of the net."""
        entries = self.record.get("rollout", ())
        for entry in () if isinstance(entries, Mapping) else entries:
            horizon = entry["aft_seq_length"]
            method = DirectForecast(net=self.build().net, loss={"type": "L2"}).eval()
            with torch.no_grad():
                frames = method.forecast({"frames": self.inputs[0]}, horizon)["forecast"]
            yield distance(f"rollout[{horizon}]", frames, entry["output"])

    def training(self, part: str) -> Iterator[Quantity]:
        """Compare loss and gradient norms of one backward pass.

        Rounding decides which of two almost equal values a pool selects, and the gradient jumps
        with the selection. Gradients that differ are therefore computed again in the published
        order of operations, then with inputs that are moved by rounding errors; a continuous
        gradient would not notice either. A loss that differs is never computed again.
        """
        found = list(self.backward(part))
        with published_order():
            for inputs in (self.inputs, *moved_by_rounding(self.inputs)):
                if not any(is_off(quantity) for quantity in found):
                    break
                again = {q.name: q for q in self.backward(part, inputs)}
                found = [again[q.name] if "grad" in q.name else q for q in found]
        yield from found

    def backward(self, part: str, inputs: list[Tensor] | None = None) -> Iterator[Quantity]:
        """Compute the same once, for the recorded inputs or for others."""
        inputs = self.inputs if inputs is None else inputs
        recorded, match = self.record[part], self.build()
        match.net.train(recorded["mode"] != "eval")
        for module in match.net.modules():
            if part == "train_nodrop" and isinstance(module, (DropPath, nn.Dropout)):
                module.eval()
        loss = driver(self.record)(match.net, self.record, inputs)["output"].square().mean()
        loss.backward()
        yield relative(f"{part}.loss", loss.item(), recorded["loss"])

        named = match.net.named_parameters()
        grads = match.split({key: p.grad for key, p in named if p.grad is not None})
        norms = recorded["grad_l2"]
        floor = NOISE * max(norms.values(), default=0)
        for key, norm in norms.items():
            grad = grads.get(key)
            ours = 0.0 if grad is None else grad.double().norm().item()
            error = abs(ours - norm) / norm if abs(ours - norm) > floor else 0.0
            yield Quantity(f"{part}.grad_l2[{key}]", error)
        for key in recorded.get("params_without_grad", ()):
            yield Quantity(f"{part}.params_without_grad[{key}]", float(key in grads))

    def drop_probs(self) -> Quantity:
        """Compare the rates of stochastic depth, lowest first."""
        recorded = sorted(self.record["active_drop_modules"].values())
        ours = [m.prob for m in self.match.net.modules() if isinstance(m, DropPath)]
        ours = sorted(prob for prob in ours if prob > 0)
        if len(ours) != len(recorded):
            return Quantity("active_drop_modules", float("inf"))
        return Quantity("active_drop_modules", float(np.abs(np.subtract(ours, recorded)).max()))

    def flops(self) -> Iterator[Quantity]:
        """Compare the multiply-adds of one pass of a net of frames, without those of scans."""
        without_scan = "flops_scan_excluded.flops_fvcore_without_scan"
        names = [n for n in ("flops_fvcore", without_scan) if recorded_at(self.record, n)]
        net = self.match.net
        interface = getattr(net, "interface", None)
        if not names or interface not in (FrameModel, RecurrentModel, DenseModel):
            return
        method: Method
        if interface is FrameModel:
            method = DirectForecast(net=net, loss={"type": "L2"})
            frames, horizon = self.inputs[0], self.inputs[0].shape[1]
        elif interface is DenseModel:
            method = Segmentation(net=net, loss={"type": "BCEDice"})
            frames, horizon = frames_of(self.record, self.inputs), 0
        else:
            method = RecurrentForecast(
                net=net, teacher_forcing={"type": "FreeRunning"}, loss={"type": "L2"}
            )
            frames, horizon = forecast_of(self.record, self.inputs)
        unknown = self.record.get("flops_fvcore_unsupported_ops", ())
        count = count_flops(method, {"frames": frames}, horizon, unknown=unknown)
        total = count.total + self.scan_by_einsum()
        yield relative(names[0], total, recorded_at(self.record, names[0]))

    def scan_by_einsum(self) -> float:
        """Compute what fvcore counts for Mamba's scan in plain PyTorch, as in the record.

        There are three contractions: two outer products with half a multiply-add per value, one of
        which has three factors and counts double, and the read-out with one.
        """
        sizes = [w.shape for key, w in self.weights.items() if key.endswith(".A_log")]
        batch, length = self.inputs[0].shape[:2]
        return sum(2.5 * batch * length * channels * states for channels, states in sizes)


def replay(record: Mapping[str, Any]) -> Iterator[Quantity]:
    """Replay the record of any class that has an adapter in ``interop``."""
    yield from NetworkRecord(record).replay()


def distance(name: str, ours: Tensor, recorded: Mapping[str, Any]) -> Quantity:
    """Compute the largest difference from a recorded tensor, relative to its scale.

    It compares shape, samples, mean, standard deviation and norm.
    """
    if list(ours.shape) != recorded["shape"]:
        return Quantity(name, float("inf"))
    flat, samples = ours.detach().double().flatten().numpy(), recorded["samples"]
    values = np.array(samples["values"])
    scale = max(recorded["std"], np.abs(values).max())
    error = np.abs(flat[:: samples["stride"]][: len(values)] - values).max()
    error = max(error, abs(flat.mean() - recorded["mean"]), abs(flat.std() - recorded["std"]))
    l2 = abs(np.linalg.norm(flat) - recorded["l2"]) / recorded["l2"]
    return Quantity(name, float(max(error / scale, l2)))


def relative(name: str, ours: float, recorded: float) -> Quantity:
    """Compute the difference of two numbers as a share of the recorded one."""
    return Quantity(name, abs(ours - recorded) / abs(recorded) if recorded else abs(ours))
