"""VMRNN-B and VMRNN-D at the TaxiBJ shape, batch 1, against the same nets on the reference scan.

The reference indexes its operands once per step, as mamba_ssm's pure-PyTorch scan does; the
backward pass of each index fills a gradient of full size.
"""

from collections.abc import Callable, Iterator

import torch

from benchmarks.harness import NotMeasured, Row, compare
from openstl_ext.methods.recurrent_forecast import RecurrentForecast
from openstl_ext.models.vmrnn import VMRNNB, VMRNND
from openstl_ext.ops.selective_scan import obstacle

SHAPE = (4, 2, 32, 32)
GOALS = {  # net, backend: training step, inference
    ("B", "stepwise"): (4.0, 2.0),
    ("B", "native"): (11.0, 5.0),
    ("D", "stepwise"): (10.0, 2.0),
    ("D", "native"): (30.0, 5.0),
}


def rows() -> Iterator[Row | NotMeasured]:
    for (size, backend), (train_goal, infer_goal) in GOALS.items():
        if reason := obstacle(backend, torch.device("cpu"), torch.float32):
            yield NotMeasured(f"VMRNN-{size}, {backend} scan", reason)
            continue
        slow, fast = method(size, "reference"), method(size, backend)
        fast.load_state_dict(slow.state_dict())
        baseline = f"reference scan; {backend} here"
        taken = compare(train_step(slow), train_step(fast), rounds=1)
        yield Row(f"VMRNN-{size} training step", baseline, *taken, goal=train_goal)
        taken = compare(forecast(slow), forecast(fast), rounds=3)
        yield Row(f"VMRNN-{size} forecast", baseline, *taken, goal=infer_goal)


def method(size: str, backend: str) -> RecurrentForecast:
    torch.manual_seed(0)
    common = {"in_channels": SHAPE[1], "drop_path_prob": 0.0, "scan_backend": backend}
    net = (
        VMRNNB(depths=(12,), patch_size=4, **common)
        if size == "B"
        else VMRNND(depths_down=(2, 2), depths_up=(2, 2), patch_size=2, **common)
    )
    return RecurrentForecast(net=net, teacher_forcing={"type": "FreeRunning"}, loss={"type": "L2"})


def train_step(model: RecurrentForecast) -> Callable[[], None]:
    """Return a step of forward, backward and Adam."""
    batch = torch.rand(1, 2 * SHAPE[0], *SHAPE[1:])
    inputs, targets = ({"frames": part} for part in batch.chunk(2, dim=1))
    optimizer = torch.optim.Adam(model.parameters(), fused=True)

    def step() -> None:
        optimizer.zero_grad()
        model.loss(inputs, targets)["loss_frames"].backward()
        optimizer.step()

    return step


def forecast(model: RecurrentForecast) -> Callable[[], None]:
    frames = torch.rand(1, *SHAPE)

    def run() -> None:
        with torch.no_grad():
            model.forecast({"frames": frames}, horizon=SHAPE[0])

    return run
