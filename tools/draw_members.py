"""Draw members of an ensemble on branching motion, and count the branches that they take."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

import openstl_ext
from openstl_ext.atomic_io import atomic_file
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.registry import DATASETS


def main() -> None:
    """Draw one sample, and print the shares of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs=2, help="of the ensemble, of one forecast")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    configs = [openstl_ext.load_config(run) for run in args.runs]
    data = DATASETS.build(dict(configs[0].test_dataloader.dataset))
    past = torch.stack([data[i]["inputs"]["frames"] for i in range(len(data))]).numpy()
    futures = np.stack([data.futures(i).numpy() for i in range(len(data))])
    models = [openstl_ext.load_model(*pair) for pair in zip(configs, args.runs, strict=True)]
    found, one = (Predictor(model, device="cpu")({"frames": past}, 4) for model in models)
    members = np.stack([v for name, v in found.items() if name.startswith("member_")], axis=1)
    distance = np.square(members[:, :, None, -1] - futures[:, None, :, -1]).sum(axis=(3, 4, 5))
    left = (distance[..., 0] < distance[..., 1]).mean()
    clear = (distance.min(axis=2) < distance.max(axis=2) / 4).mean()
    share = data.settings.left_prob
    best = share * (1 - share) * np.abs(futures[:, 0] - futures[:, 1]).mean()
    print(
        f"{left:.1%} of all members take the left branch, whose probability is {share:.0%}; "
        f"{clear:.1%} are less than half as far from their branch as from the other. The best "
        f"`crps` is {best:.4f}, and {1 + 1 / members.shape[1]:.3g} times that of as many members."
    )
    draw(args.out, past[0], futures[0], one["forecast"][0], members[0, :5])


def draw(out: Path, past: Any, futures: Any, single: Any, members: Any) -> None:
    """Draw the frames of one sample, a row for each future, forecast and member."""
    rows = {"left future": futures[0], "right future": futures[1], "one forecast": single}
    rows |= {f"member {i}": member for i, member in enumerate(members, start=1)}
    figure = Figure(figsize=(8.5, len(rows)), layout="compressed")
    axes = figure.subplots(len(rows), 8)
    for line, (name, frames) in zip(axes, rows.items(), strict=True):
        for panel, frame in zip(line, [*past, *frames], strict=True):
            panel.imshow(frame[0], vmin=0, vmax=1, cmap="viridis")
            panel.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    axes[0][4].set_title("lead 1")
    with atomic_file(out) as file:
        figure.savefig(file, format="png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
