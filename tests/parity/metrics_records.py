"""Replay the recorded metrics of OpenSTL and simvp_minimal."""

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.decibel import CEILING, PSNR, SNR, decibels
from openstl_ext.metrics.mean_pixel import MeanMAE, MeanMSE, MeanRMSE
from openstl_ext.metrics.similarity import similarity
from openstl_ext.metrics.ssim import GAUSSIAN, UNIFORM, SSIMOpenSTL, SSIMSimVPMinimal
from openstl_ext.metrics.summed_pixel import SummedMAE, SummedMSE, SummedRMSE
from tests.parity.quantity import Quantity

SUMMED = {"mse": SummedMSE, "mae": SummedMAE, "rmse": SummedRMSE}
MEAN = {"mse": MeanMSE, "mae": MeanMAE, "rmse": MeanRMSE}
NUMBER = r"(-?[\d.]+)"


def replay_openstl_metrics(record: dict[str, Any]) -> Iterator[Quantity]:
    """Yield each score of ``metric()``, of its functions, and the SSIM of single frames.

    Cases in which upstream raises an error are skipped.
    """
    for i, case in enumerate(record["cases"]):
        for key, value in _openstl_case(case).items():
            yield _compared(f"cases[{i}].{key}", value, case["result"][key])
    for i, case in enumerate(record.get("functions", ())):
        yield from _openstl_functions(f"functions[{i}].", case)
    for i, case in enumerate(record.get("ssim_frames", ())):
        pred, true = _openstl_pair(case)
        for key, span in (("ssim_per_frame", 2.0), ("ssim_per_frame_data_range_1", 1.0)):
            if key in case:
                yield _compared(
                    f"ssim_frames[{i}].{key}", _ssim_frames(pred, true, span), case[key]
                )


def replay_simvp_minimal_metrics(record: dict[str, Any]) -> Iterator[Quantity]:
    """Yield each score of the ``calc_`` functions.

    If upstream raises an error, because its SSIM does not support 2 to 6 channels, our score must
    be finite.
    """
    for i, case in enumerate(record["cases"]):
        true = _drawn(case["true"], case["shape"])
        pred = _drawn(case["pred"], case["shape"])
        for key, value in _simvp_minimal_case(pred, true).items():
            recorded = case.get(key)
            if isinstance(recorded, dict):
                error = 0.0 if np.isfinite(value) else np.inf
                yield Quantity(f"cases[{i}].{key} (upstream raises)", error)
            elif recorded is not None:
                yield _compared(f"cases[{i}].{key}", value, recorded)


def _openstl_case(case: dict[str, Any]) -> dict[str, float]:
    """Compute our scores for one call of ``metric()``, under its keys."""
    pred, true = _openstl_pair(case)
    if case["mean"] is not None and case["std"] is not None:
        mean, std = _array(case["mean"]), _array(case["std"])
        pred, true = pred * std + mean, true * std + mean
    clip = tuple(case["clip_range"])
    others = {"ssim": SSIMOpenSTL(clip=clip), "psnr": PSNR(clip=clip), "snr": SNR(clip=clip)}
    found: dict[str, float] = {}
    for key in case["metrics_requested"]:
        if key not in SUMMED:
            found[key] = _score(others[key], pred, true)
            continue
        kind = (MEAN if case["spatial_norm"] else SUMMED)[key]
        names = case["channel_names"] or [None]
        blocks = zip(names, *(np.split(a, len(names), axis=2) for a in (pred, true)), strict=True)
        scores = {name: _score(kind(), p, t) for name, p, t in blocks}
        found |= {f"{key}_{name}": s for name, s in scores.items() if name is not None}
        found[key] = float(np.mean(list(scores.values())))
    return {key: value for key, value in found.items() if key in case["result"]}


def _openstl_functions(prefix: str, case: dict[str, Any]) -> Iterator[Quantity]:
    """Yield the scores of the plain functions, which reduce over all their inputs."""
    pred, true = _openstl_pair(case)
    mse = _score(MeanMSE(), pred, true)
    signal = float(np.mean(true.astype(np.float64) ** 2))
    ours: dict[str, Any] = {
        "PSNR(min_max_norm=True)": _ratio(1.0, mse),
        "PSNR(min_max_norm=False)": _ratio(255.0**2, 255.0**2 * mse),
        "SNR": _ratio(signal, mse),
        "SSIM_cv2 frame [0,0,0]*255": _gaussian_ssim(255 * pred[0, 0, :1], 255 * true[0, 0, :1]),
    }
    for name in SUMMED:
        ours[f"{name.upper()}(spatial_norm=False)"] = _score(SUMMED[name](), pred, true)
        ours[f"{name.upper()}(spatial_norm=True)"] = _score(MEAN[name](), pred, true)
    for key, value in ours.items():
        if key in case:
            yield _compared(prefix + key, value, case[key])
    if "PSNR of equal arrays" in case:  # infinite upstream, the ceiling here
        yield _compared(prefix + "PSNR of equal arrays", _score(PSNR(), true, true), CEILING)


def _simvp_minimal_case(pred: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Compute our scores for one pair of arrays, under upstream's keys."""
    mse = _score(MeanMSE(), pred, true)
    found = {
        "calc_psnr": _ratio(255.0**2, mse),
        "calc_psnr(spatial_norm=True)": _ratio(1.0, mse),
        "calc_ssim": _score(SSIMSimVPMinimal(), pred, true),
        "calc_ssim single sample (C,H,W)": _score(SSIMSimVPMinimal(), pred[:1, :1], true[:1, :1]),
    }
    for name in SUMMED:
        found[f"calc_{name}"] = _score(SUMMED[name](), pred, true)
        found[f"calc_{name}(spatial_norm=True)"] = _score(MEAN[name](), pred, true)
    return found


def _score(metric: SampleMetric, pred: np.ndarray, true: np.ndarray) -> float:
    """Compute the overall score of a metric on arrays (B, T, C, H, W).

    NaN for frames smaller than a window, for which ours documents a ShapeError.
    """
    try:
        return _evaluated(metric, pred, true)
    except ShapeError:
        return math.nan


def _evaluated(metric: SampleMetric, pred: np.ndarray, true: np.ndarray) -> float:
    for forecast, target in zip(_tensor(pred), _tensor(true), strict=True):
        valid = torch.ones_like(target, dtype=torch.bool)
        weight = torch.ones(target.shape[-2:])
        sample = {"forecast": forecast, "target": target, "valid": valid, "weight": weight}
        metric.process(None, [sample])
    return metric.evaluate(len(pred))[metric.name]


def _ratio(signal: float, noise: float) -> float:
    return float(decibels(signal, torch.tensor(noise, dtype=torch.float64)))


def _ssim_frames(pred: np.ndarray, true: np.ndarray, span: float) -> np.ndarray:
    """Compute the SSIM of each frame, (B, T)."""
    shape = (-1, *pred.shape[2:])
    frames = (_tensor(a.reshape(shape)) for a in (pred, true))
    try:
        total, count = similarity(*frames, window=UNIFORM, data_range=span)
    except ShapeError:  # documented for frames smaller than the window
        return np.full(pred.shape[:2], math.nan)
    return (total / count).numpy().reshape(pred.shape[:2])


def _gaussian_ssim(pred: np.ndarray, true: np.ndarray) -> float:
    """Compute the SSIM of one frame (1, H, W) of 0 to 255, with a Gaussian window."""
    pair = (_tensor(pred[None]), _tensor(true[None]))
    try:
        total, count = similarity(*pair, window=GAUSSIAN, data_range=255.0)
    except ShapeError:  # documented for frames smaller than the window
        return math.nan
    return float(total / count)


def _openstl_pair(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return forecast and target of the record."""
    pred = _rand(case["pred_seed"], case["shape"])
    drawn = _rand(case["true_seed"], case["shape"])
    recipe = case.get("true_recipe", "")
    blend = re.fullmatch(rf"float32\({NUMBER}\)\*pred \+ float32\({NUMBER}\)\*\S+", recipe)
    if blend is None:
        return pred, drawn
    return pred, np.float32(blend[1]) * pred + np.float32(blend[2]) * drawn


def _drawn(recipe: str, shape: list[int]) -> np.ndarray:
    """Draw numbers, as in ``RandomState(211).rand`` or ``(RandomState(2).rand*1.3-0.1)``."""
    found = re.fullmatch(
        rf"\(?RandomState\((\d+)\)\.rand(?:\*{NUMBER})?([+-][\d.]+)?\)?( in float32)?", recipe
    )
    assert found is not None, f"unknown recipe: {recipe}"
    seed, scale, shift, _ = found.groups()
    return _rand(int(seed), shape) * np.float32(scale or 1) + np.float32(shift or 0)


def _rand(seed: int, shape: list[int]) -> np.ndarray:
    return np.random.RandomState(seed).rand(*shape).astype(np.float32)


def _array(value: Any) -> np.ndarray:
    """Convert a number, or ``{"shape": ..., "values": ...}``, to float32."""
    if isinstance(value, dict):
        return np.asarray(value["values"], dtype=np.float32).reshape(value["shape"])
    return np.asarray(value, dtype=np.float32)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def _compared(name: str, ours: Any, recorded: Any) -> Quantity:
    """Compute the error relative to the record; similarities and decibels have a scale of 1.

    Where the record has no number, ours must have none: NaN for NaN (a frame smaller than the
    window) and for a ratio of minus infinity (no signal), and the ceiling for an infinite ratio.
    """
    ours, recorded = np.asarray(ours, dtype=np.float64), np.asarray(recorded, dtype=np.float64)
    own_scale = any(word in name.lower() for word in ("ssim", "psnr", "snr"))
    if "snr" in name.lower():
        recorded = np.where(recorded == np.inf, CEILING, recorded)
        recorded = np.where(recorded == -np.inf, np.nan, recorded)
    known = np.abs(recorded[np.isfinite(recorded)])
    scale = max(known.max(initial=0.0), 1.0 if own_scale else 0.0) or 1.0
    error = np.where(np.isnan(ours) & np.isnan(recorded), 0.0, np.abs(ours - recorded))
    return Quantity(name, float(error.max() / scale))
