"""Draw members of an ensemble on branching motion, and count the branches that they take.

::

    python tools/draw_members.py ENSEMBLE_RUN SINGLE_RUN --out members.png
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
import torch

import openstl_ext
from openstl_ext.atomic_io import atomic_file
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.registry import DATASETS

NUM_SHOWN = 5


def main() -> None:
    """Draw one sample, and print shares and scores of all."""
    parser = argparse.ArgumentParser(description="Draw members of an ensemble.")
    parser.add_argument("runs", type=Path, nargs=2, help="of the ensemble, of one forecast")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    configs = [openstl_ext.load_config(run) for run in args.runs]
    data = DATASETS.build(dict(configs[0].test_dataloader.dataset))
    items = [data[i] for i in range(len(data))]
    past = torch.stack([item["inputs"]["frames"] for item in items]).numpy()
    models = [openstl_ext.load_model(*pair) for pair in zip(configs, args.runs, strict=True)]
    found, one = (Predictor(model, device="cpu")({"frames": past}, 4) for model in models)
    names = sorted((n for n in found if n.startswith("member_")), key=lambda n: int(n[7:]))
    members = np.stack([found[name] for name in names], axis=1)  # (N, M, T, C, H, W)
    futures = np.stack([data.futures(i).numpy() for i in range(len(data))])
    last = members[:, :, None, -1] - futures[:, None, :, -1]
    left, right = np.moveaxis(np.square(last).sum(axis=(3, 4, 5)), 2, 0)
    best = 0.25 * np.abs(futures[:, 0] - futures[:, 1]).mean()
    share = (left < right).mean()
    near = (np.minimum(left, right) < np.maximum(left, right) / 4).mean()
    print(
        f"Of all members of the first run, {share:.1%} take the left branch (its probability is "
        f"{data.settings.left_prob:.0%}), and {near:.1%} are at most half as far from their branch "
        f"as from the other. The best possible `crps` is {best:.4f}; an ensemble of {len(names)} "
        f"members that is drawn from the truth has {best * (1 + 1 / len(names)):.4f} on average."
    )
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = {
        "left future": futures[0, 0],
        "right future": futures[0, 1],
        "one forecast": one["forecast"][0],
    }
    rows |= {f"member {i + 1}": members[0, i] for i in range(NUM_SHOWN)}
    figure, axes = plt.subplots(len(rows), 8, figsize=(8, len(rows)), layout="compressed")
    for line, (name, frames) in zip(axes, rows.items(), strict=True):
        for panel, frame in zip(line, [*past[0], *frames], strict=True):
            panel.imshow(frame[0], vmin=0, vmax=1, cmap="viridis")
            panel.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for column, panel in enumerate(axes[0]):
        panel.set_title(f"input {column + 1}" if column < 4 else f"lead {column - 3}", fontsize=9)
    with atomic_file(args.out) as file:
        figure.savefig(file, format="png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
