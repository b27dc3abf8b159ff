#!/bin/sh
# Features of a small pre-training on synthetic land, beside those of random weights and mean band
# values: five seeds, linear probes and nearest neighbours, on a sensor of the pre-training and on one
# that it has not seen. sh tools/learning_proof_smarties.sh [PYTHON]; some half an hour on two cores.
# Fills its blocks of docs/learning_proof.md, draws docs/images/learning/smarties_*. What is trained is
# not trained again: remove work_dirs/sensor_scenes for that.
set -eu
PYTHON=${1:-.venv/bin/python}
cd "$(dirname "$0")/.."
SEEDS=${SEEDS:-0 1 2 3 4}
OUT=${OUT:-docs}
PICTURES=$OUT/images/learning
RUNS=work_dirs/sensor_scenes
mkdir -p "$PICTURES"

# shellcheck disable=SC2086  # a list of seeds
"$PYTHON" tools/demo_smarties.py --epochs 20 --seeds $SEEDS
cp "$RUNS/pretraining/seed_0/reconstruction_1_2.png" "$PICTURES/smarties_reconstruction.png"
cp "$RUNS/confusion.png" "$PICTURES/smarties_confusion.png"
cp "$RUNS/spectrum.png" "$PICTURES/smarties_spectrum.png"

"$PYTHON" tools/leaderboard.py "$RUNS" --metrics overall_accuracy kappa |
    sed 1,2d | "$PYTHON" tools/fill_block.py "$OUT/learning_proof.md" smarties

# shellcheck disable=SC2086
"$PYTHON" - "$RUNS" $SEEDS <<'CHECK' | "$PYTHON" tools/fill_block.py "$OUT/learning_proof.md" smarties_intervals
import pathlib, sys
import numpy as np
import torch
from scipy.stats import t
import openstl_ext
from openstl_ext.engine.pretrained import final
from openstl_ext.registry import DATASETS

runs, seeds = pathlib.Path(sys.argv[1]), [int(seed) for seed in sys.argv[2:]]


def correct(task):
    """Return whether each test scene is right with each seed, (seeds, scenes)."""
    folders = [runs / task / f"seed_{seed}/saved" for seed in seeds]
    pairs = [(np.load(f / "preds.npy"), np.load(f / "trues.npy")) for f in folders]
    return np.stack([(a.reshape(len(a)) == b.reshape(len(b))) for a, b in pairs]).astype(float)


def half(values):
    """Return half of a 95 % interval of the mean, over test scenes and over seeds.

    With five seeds the quantile of Student's t is 2.8, that of many scenes 1.96.
    """
    parts = values.mean(0), values.mean(1)
    return np.hypot(*(t.ppf(0.975, len(p) - 1) * p.std(ddof=1) / len(p) ** 0.5 for p in parts))


print("| sensor | task | SMARTIES | random weights | mean band values | gain over the better, paired |")
print("|---|---|---|---|---|---|")
for sensor, seen in (("sentinel2_l2a", "Sentinel-2"), ("pelican", "Pelican (unseen)")):
    for probe, name in (("linear_probe", "linear probe"), ("neighbours", "k-NN")):
        found = [correct(f"{sensor}/{kind}_{probe}") for kind in ("smarties", "random", "band_means")]
        texts = [f"{v.mean():.3f} ± {half(v):.3f}" for v in found]
        gain = found[0] - max(found[1:], key=np.mean)
        print(f"| {seen} | {name} | **{texts[0]}** | {texts[1]} | {texts[2]} | {gain.mean():+.3f} ± {half(gain):.3f} |")

losses = []
for seed in seeds:
    config = openstl_ext.load_config(runs / f"pretraining/seed_{seed}")
    data = dict(config.train_dataloader.dataset, split="val", augment=False)
    pairs = DATASETS.build(data)
    for checkpoint in (None, final(runs / f"pretraining/seed_{seed}")):
        torch.manual_seed(seed)
        method = openstl_ext.load_model(config, checkpoint)
        torch.manual_seed(0)
        with torch.no_grad():
            each = [
                method.loss({k: v[None] for k, v in pairs[i]["inputs"].items()}, {})["loss_hidden"]
                for i in range(len(pairs))
            ]
        losses.append(float(torch.stack(each).mean()))
before, after = np.array(losses).reshape(-1, 2).T
print(f"\nReconstruction loss of the {len(pairs)} validation pairs: {before.mean():.3f} before the pre-training, {after.mean():.3f} after it (seeds: {', '.join(f'{a:.3f}' for a in after)}).")
CHECK
