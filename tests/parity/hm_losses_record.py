"""Replay the recorded losses of the Human Modification forecaster."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from openstl_ext.interop import NoAdapterError
from openstl_ext.losses.change_histogram import ChangeHistogram
from openstl_ext.losses.laplacian import LaplacianPyramid
from openstl_ext.losses.pinball import Pinball
from tests.parity import recipe
from tests.parity.quantity import Quantity

Case = Mapping[str, Any]
HARD = 1e-5
"""A temperature at which soft bins are hard for all but a pixel on an edge."""


def replay(record: Mapping[str, Any]) -> Iterator[Quantity]:
    """Yield every recorded value."""
    prediction, target, drawn = recipe.inputs(record)
    valid = drawn > 0.2
    for number, case in enumerate(record["cases"]):
        found = KINDS.get(case["loss"])
        if found is None:
            raise NoAdapterError(f"no loss here is called {case['loss']}")
        mask = valid if case["masked"] else None
        for name, error in found(case, prediction, target, mask):
            yield Quantity(f"cases[{number}].{case['loss']}.{name}", error)


def _laplacian(
    case: Case, prediction: Tensor, target: Tensor, valid: Tensor | None
) -> Iterator[tuple[str, float]]:
    arguments = {k: v for k, v in case.items() if k in ("levels", "include_lowpass")}
    loss = LaplacianPyramid(**arguments, mix_gaps=True)(prediction, target, valid)
    yield "value", _relative(loss, case["value"])


def _pinball(
    case: Case, prediction: Tensor, target: Tensor, valid: Tensor | None
) -> Iterator[tuple[str, float]]:
    loss = Pinball(quantile=case["quantile"])(prediction, target, valid)
    yield "value", _relative(loss, case["value"])


def _histogram(
    case: Case, prediction: Tensor, target: Tensor, valid: Tensor | None
) -> Iterator[tuple[str, float]]:
    drawn = np.random.RandomState(case["last_input_seed"]).rand(*target.shape)
    last = torch.from_numpy(drawn.astype(np.float32))
    weights = case.get("bin_weights")
    loss = ChangeHistogram(edges=case["bin_edges"], temperature=HARD, bin_weights=weights)
    predicted, observed = prediction - last, target - last
    yield "value", _relative(loss(predicted, observed, valid), case["value"])
    mask = torch.ones_like(target, dtype=torch.bool) if valid is None else valid
    for name, change in (("observed_proportions", observed), ("predicted_proportions", predicted)):
        if name in case:
            curve = loss.cumulative(change, mask)
            ends = torch.zeros(len(curve), 1), torch.ones(len(curve), 1)
            shares = torch.cat([ends[0], curve, ends[1]], dim=1).diff(dim=1)
            yield name, float((shares.flatten() - torch.tensor(case[name])).abs().max())


def _relative(value: Tensor, recorded: float) -> float:
    return abs(value.item() - recorded) / abs(recorded)


KINDS: dict[str, Callable[..., Iterator[tuple[str, float]]]] = {
    "laplacian": _laplacian,
    "pinball": _pinball,
    "histogram_w2_hard_bins": _histogram,
}
