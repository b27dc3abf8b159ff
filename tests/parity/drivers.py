"""Functions that call each class of a record and return its outputs under the record's names."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from openstl_ext.layers import vmrnn_cell
from openstl_ext.layers.convlstm import Memory
from openstl_ext.layers.patches import fold_patches, unfold_patches
from openstl_ext.methods.recurrent_forecast import RecurrentForecast
from openstl_ext.methods.rollout import rollout
from openstl_ext.models.quantile_convlstm import QuantileConvLSTM

Record = Mapping[str, Any]
Driven = dict[str, Tensor | float]
Driver = Callable[[nn.Module, Record, list[Tensor]], Driven]
"""(net, record, inputs) -> the main ``output`` and other recorded values, by their path."""


def plain(net: nn.Module, _record: Record, inputs: list[Tensor]) -> Driven:
    """Call a net as in the reference."""
    return {"output": net(*inputs)}


def convlstm(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Roll out a net on folded frames, channels last, with the recorded teacher forcing."""
    configs = record["kwargs"]["configs"]
    patch, seen = configs["patch_size"], configs["pre_seq_length"]
    frames = _each(unfold_patches, inputs[0].permute(0, 1, 4, 2, 3), patch)
    batch, length = frames.shape[:2]
    observed = torch.zeros(batch, length - 1, dtype=torch.bool)
    forced = _mask(record["mask_true"])
    if configs.get("reverse_scheduled_sampling"):
        observed[:, 0], observed[:, 1:] = True, forced
    else:
        observed[:, :seen], observed[:, seen:] = True, forced
    outputs, _ = rollout(net, frames[:, :-1], observed, num_steps=length - 1)
    loss = (outputs - frames[:, 1:]).square().mean()
    folded = _each(fold_patches, outputs, patch).permute(0, 1, 3, 4, 2)
    driven: Driven = {"output": folded, "extra.returned_loss": loss.item()}
    if "method_forward" in record:
        past, future = (_drawn(entry) for entry in record["method_forward"]["inputs"])
        driven["method_forward.output"] = _forecast(net, past, future.shape[1])
    return driven


def vmrnn(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Roll out a net on complete sequences, channels last, of which it observes the first part."""
    frames = inputs[0].permute(0, 1, 4, 2, 3)
    seen = record["kwargs"]["configs"]["in_shape"][0]
    observed = (torch.arange(frames.shape[1] - 1) < seen).expand(len(frames), -1)
    outputs, _ = rollout(net, frames[:, :-1], observed, num_steps=frames.shape[1] - 1)
    loss = (outputs - frames[:, 1:]).square().mean()
    return {"output": outputs.permute(0, 1, 3, 4, 2), "extra.returned_loss": loss.item()}


def vmrnn_mmnist(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Roll out a net on past frames, channels first, to the recorded length."""
    (past,) = inputs
    observed = torch.ones(past.shape[:2], dtype=torch.bool)
    outputs, _ = rollout(net, past, observed, num_steps=record["output"]["shape"][1])
    return {"output": outputs}


def vmrnn_cell_step(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Run one step of a cell on tokens of a map."""
    x, hidden, kept = (_on_map(tokens, record) for tokens in inputs)
    output, memory = net(x, vmrnn_cell.Memory(hidden, kept))
    first, new = net(x, None)
    return {
        "output": output.flatten(1, 2),
        "extra.Ct": memory.cell.flatten(1, 2),
        "output_no_state.Ht": first.flatten(1, 2),
        "output_no_state.Ct": new.cell.flatten(1, 2),
    }


def block(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Run a block on tokens of a map, with and without a memory."""
    x, hidden = (_on_map(tokens, record) for tokens in inputs)
    return {
        "output": net(x, hidden).flatten(1, 2),
        "output_hx_none.output": net(x).flatten(1, 2),
    }


def ss2d(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Run the layer, and its scan separately."""
    driven: Driven = {"output": net(*inputs)}
    if "forward_core" in record:
        (entry,) = record["forward_core"]["inputs"]
        driven["forward_core.output"] = net.scan(_drawn(entry))
    return driven


def convlstm_cell_step(net: nn.Module, _record: Record, inputs: list[Tensor]) -> Driven:
    """Run one step from a given memory."""
    x, hidden, kept = inputs
    output, memory = net(x, Memory(hidden, kept))
    return {"output": output, "cell": memory.cell}


def volumes(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Call a net on frames with channels before time."""
    return {"output": net(frames_of(record, inputs))}


def stacked(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Call a net on frames stacked as channels of one image."""
    return {"output": net(frames_of(record, inputs))}


def human_modification(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Return one next frame, or lower, central and upper of several horizons one after another."""
    shown = human_modification_inputs(inputs)
    frames = shown.pop("frames")
    if not isinstance(net, QuantileConvLSTM):
        return {"output": net(frames, **shown).forecast}
    net.isolated = False  # the recorded gradients belong to a loss on all three
    predicted = net(frames, **shown)
    lower, upper = predicted.quantiles.unbind(dim=1)
    return {"output": torch.stack([lower, predicted.forecast, upper], dim=2).flatten(1, 2)}


def human_modification_inputs(inputs: list[Tensor]) -> dict[str, Tensor]:
    """Return the recorded inputs under our names.

    They are steps whose first channel is the target, then static covariates, then longitude and
    latitude, channels last, if there is a location encoder.
    """
    steps, static, *locations = inputs
    named = {"frames": steps[:, :, :1], "static": static}
    if steps.shape[2] > 1:
        named["dynamic"] = steps[:, :, 1:]
    if locations:
        named["lonlat"] = locations[0].permute(0, 3, 1, 2)
    return named


def each_band(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Project the patches of one band by the projection of every band, interpolated ones too."""
    patches = inputs[0].flatten(1)[None, :, None]
    count = record["output"]["shape"][0]
    return {"output": torch.cat([net(patches, torch.tensor([[i]])) for i in range(count)])}


def spectral(net: nn.Module, record: Record, inputs: list[Tensor]) -> Driven:
    """Encode images that are recorded as patches (B, h, w, C, p, p), one of each source."""
    bands = torch.tensor(record["band_projection_indices (same at every patch)"])
    bands = bands[:, None].expand(-1, len(inputs), -1)  # recorded for each sample
    if inputs[0].ndim == 6:
        inputs = [rearrange(x, "b h w c p q -> b c (h p) (w q)") for x in inputs]
    frames = torch.stack(inputs, dim=1)
    if isinstance(net, nn.ModuleDict):
        return {"output": net["head"](net["features"](frames, bands))}
    tokens = net(frames[:, 0], bands[:, 0])[:, 1:]
    rows = frames.shape[-2] // record["kwargs"]["patch_size"]
    return {"output": rearrange(tokens, "b (h w) d -> b d h w", h=rows)}


DRIVERS: dict[tuple[str, str], Driver] = {
    ("openstl", "ConvLSTM_Model"): convlstm,
    ("openstl", "ConvLSTMCell"): convlstm_cell_step,
    ("vmrnn-pytorch", "VMRNN_B_Model"): vmrnn,
    ("vmrnn-pytorch", "VMRNN_D_Model"): vmrnn,
    ("vmrnn-pytorch", "VMRNN (VMRNN_B.py)"): vmrnn_mmnist,
    ("vmrnn-pytorch", "VMRNN (VMRNN_D.py)"): vmrnn_mmnist,
    ("vmrnn-pytorch", "VMRNNCell"): vmrnn_cell_step,
    ("vmrnn-pytorch", "VSB"): block,
    ("vmrnn-pytorch", "SS2D"): ss2d,
    ("st-mamba", "UNet3D"): volumes,
    ("st-mamba", "BaselineUNet"): stacked,
    ("spatio-temporal", "SpatioTemporalPredictor"): human_modification,
    ("smarties", "SpectrumAwareProjection"): each_band,
    ("smarties", "SmartiesVisionTransformer"): spectral,
}


def driver(record: Record) -> Driver:
    """Return the function that calls the class of a record."""
    source = record["reference"]["repo"].rpartition("/")[2].lower()
    return DRIVERS.get((source, record["class"]), plain)


def forecast_of(record: Record, inputs: list[Tensor]) -> tuple[Tensor, int]:
    """Return the past frames and the horizon of the recorded cost of a recurrent net."""
    configs = record["kwargs"].get("configs")
    if configs is None:
        return inputs[0], record["output"]["shape"][1] + 1 - inputs[0].shape[1]
    _, channels, height, width = configs["in_shape"]
    seen, length = configs["in_shape"][0], inputs[0].shape[1]
    return torch.rand(len(inputs[0]), seen, channels, height, width), length - seen


def frames_of(record: Record, inputs: list[Tensor]) -> Tensor:
    """Return the frames (B, T, C, H, W) of a net that predicts a class of each pixel."""
    if driver(record) is stacked:
        return inputs[0].unsqueeze(1)
    return inputs[0].transpose(1, 2) if driver(record) is volumes else inputs[0]


def recorded_at(record: Record, path: str) -> Any | None:
    """Return the value of a record at a dotted path, or None."""
    found: Any = record
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found


def _forecast(net: nn.Module, past: Tensor, horizon: int) -> Tensor:
    method = RecurrentForecast(
        net=net, teacher_forcing={"type": "FreeRunning"}, loss={"type": "L2"}
    )
    return method.forecast({"frames": past}, horizon)["forecast"]


def _mask(entry: Mapping[str, Any]) -> Tensor:
    """Return the recorded flags (B, steps): zeros, or where draws of a seed are below 0.5."""
    batch, steps = entry["shape"][:2]
    if "zeros" in entry["recipe"]:
        return torch.zeros(batch, steps, dtype=torch.bool)
    seed = int(entry["recipe"].split("RandomState(")[1].split(")")[0])
    return torch.from_numpy(np.random.RandomState(seed).rand(batch, steps) < 0.5)


def _each(function: Callable[[Tensor, int], Tensor], frames: Tensor, patch_size: int) -> Tensor:
    """Apply a function to every frame of a sequence."""
    return function(frames.flatten(0, 1), patch_size).unflatten(0, frames.shape[:2])


def _drawn(entry: Mapping[str, Any]) -> Tensor:
    values = np.random.RandomState(entry["seed"]).rand(*entry["shape"])
    return torch.from_numpy(values.astype(np.float32))


def _on_map(tokens: Tensor, record: Record) -> Tensor:
    return tokens.unflatten(1, tuple(record["kwargs"]["input_resolution"]))
