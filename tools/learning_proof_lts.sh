#!/bin/sh
# Seven small nets find the sites of a synthetic landscape: each must do it better than a logistic
# regression of every pixel on its own series. sh tools/learning_proof_lts.sh [PYTHON]; some twenty
# minutes on one core. Fills its block of docs/learning_proof.md, draws docs/images/learning/lts_*.
# What is trained is not trained again: remove work_dirs/lts/small for that. SEEDS="0 1" for more.
set -eu
PYTHON=${1:-.venv/bin/python}
cd "$(dirname "$0")/.."
MODELS=${MODELS:-pixel_logistic st_mamba st_mamba_broadcast st_gru unet unet_2plus1d convgru_unet convlstm_unet}
SEEDS=${SEEDS:-0}
SAMPLE=${SAMPLE:-r000324_c000108}
OUT=${OUT:-docs}
PICTURES=$OUT/images/learning
mkdir -p "$PICTURES"

"$PYTHON" tools/prepare_data/lts_segmentation.py --miniature --root data/miniature/lts
RUNS=
for MODEL in $MODELS; do
    CONFIG=configs/lts/small/$MODEL.py
    for SEED in $SEEDS; do
        RUN=work_dirs/lts/small/$MODEL/seed_$SEED
        RUNS="$RUNS $RUN"
        if [ ! -f "$RUN/result.json" ]; then
            if [ -d "$RUN/checkpoints" ]; then RESUME=--resume; else RESUME=; fi
            "$PYTHON" tools/train.py "$CONFIG" --seed "$SEED" $RESUME
        fi
        if [ ! -d "$RUN/saved" ]; then
            "$PYTHON" tools/test.py "$CONFIG" --seed "$SEED" --save-predictions
        fi
    done
    RUN=work_dirs/lts/small/$MODEL/seed_${SEEDS%% *}
    "$PYTHON" tools/visualize_grid.py "$RUN" "$SAMPLE" --out "$PICTURES/lts_$MODEL.png"
done

# shellcheck disable=SC2086  # a list of folders
"$PYTHON" tools/leaderboard.py $RUNS --metrics 'dice[site]' 'iou[site]' 'precision[site]' 'recall[site]' kappa |
    sed 1,2d | "$PYTHON" tools/fill_block.py "$OUT/learning_proof.md" lts

# shellcheck disable=SC2086
"$PYTHON" - $RUNS <<'CHECK'
import json, pathlib, sys
import numpy as np

BLOCK = 72  # of the miniature: patches of a block show the same sites, so blocks are drawn, not patches


def counts(run):
    """Hits, false alarms and misses of each block."""
    blocks = {}
    for path in sorted((run / "saved/preds").iterdir()):
        files = (run / "saved" / kind / path.name / "0.npy" for kind in ("trues", "preds"))
        target, predicted = map(np.load, files)
        row, column = (int(part[1:]) // BLOCK for part in path.name.split("_"))
        pairs = ((1, 1), (0, 1), (1, 0))  # of target and prediction
        counted = [((target == t) & (predicted == p)).sum() for t, p in pairs]
        blocks[row, column] = blocks.get((row, column), 0) + np.array(counted)
    return np.array([blocks[key] for key in sorted(blocks)])


def dice(counted):
    hits, alarms, misses = counted[..., 0], counted[..., 1], counted[..., 2]
    return 2 * hits / (2 * hits + alarms + misses)


runs = {}
for run in map(pathlib.Path, sys.argv[1:]):
    record = json.loads((run / "result.json").read_text())
    runs[record["config"].rpartition("/")[2], record["seed"]] = counts(run)
failed = 0
for (model, seed), ours in runs.items():
    alone = runs["pixel_logistic", seed]
    drawn = np.random.default_rng(0).integers(0, len(alone), (10_000, len(alone)))
    gain = dice(ours[drawn].sum(axis=1)) - dice(alone[drawn].sum(axis=1))
    low, high = np.percentile(gain, (2.5, 97.5))
    score, base = dice(ours.sum(axis=0)), dice(alone.sum(axis=0))
    failed += model != "pixel_logistic" and score <= base
    print(f"{model:<20} seed {seed}  Dice {score:.4f}, gain {score - base:+.3f} ({low:+.3f} to {high:+.3f})")
sys.exit(f"{failed} did not beat the pixels alone" if failed else 0)
CHECK
