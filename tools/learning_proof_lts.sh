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
SAMPLE=${SAMPLE:-r000364_c000108}
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
"$PYTHON" tools/leaderboard.py $RUNS --metrics dice@site iou@site precision@site recall@site kappa |
    sed 1,2d | "$PYTHON" tools/fill_block.py "$OUT/learning_proof.md" lts

"$PYTHON" - $RUNS <<'CHECK'
import json, pathlib, sys
records = [json.loads(pathlib.Path(run, "result.json").read_text()) for run in sys.argv[1:]]
dice = {(r["config"].rpartition("/")[2], r["seed"]): r["metrics"]["dice@site"] for r in records}
failed = 0
for (model, seed), ours in dice.items():
    alone = dice["pixel_logistic", seed]
    failed += model != "pixel_logistic" and ours <= alone
    print(f"{model:<20} seed {seed}  Dice {ours:.4f}, of pixels alone {alone:.4f}")
sys.exit(f"{failed} did not beat the pixels alone" if failed else 0)
CHECK
