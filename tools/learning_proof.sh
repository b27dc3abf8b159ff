#!/bin/sh
# Four small nets on two synthetic miniatures: each must forecast better than persistence.
# sh tools/learning_proof.sh [PYTHON]; some half an hour on one core. Fills its block of
# docs/learning_proof.md, what stands around it stays, and docs/images/learning/. What is trained is
# not trained again: remove work_dirs/*/small for that.
set -eu
PYTHON=${1:-.venv/bin/python}
cd "$(dirname "$0")/.."
MODELS=${MODELS:-convlstm vmrnn_b vmrnn_d simvp_gsta}
DATASETS=${DATASETS:-taxibj moving_mnist}
OUT=${OUT:-docs}
PICTURES=$OUT/images/learning
mkdir -p "$PICTURES"

RUNS=
for DATA in $DATASETS; do
    "$PYTHON" "tools/prepare_data/$DATA.py" --miniature --root "data/miniature/$DATA"
    for MODEL in $MODELS; do
        CONFIG=configs/$DATA/small/$MODEL.py
        RUN=work_dirs/$DATA/small/$MODEL/seed_0
        RUNS="$RUNS $RUN"
        if [ ! -f "$RUN/result.json" ]; then
            if [ -d "$RUN/checkpoints" ]; then RESUME=--resume; else RESUME=; fi
            "$PYTHON" tools/train.py "$CONFIG" $RESUME
            "$PYTHON" tools/test.py "$CONFIG" --save-predictions
        fi
        SAMPLE=$(ls "$RUN/saved/preds" | head -n 1)
        "$PYTHON" tools/visualize_grid.py "$RUN/saved" "$SAMPLE" --out "$PICTURES/${DATA}_$MODEL.png"
    done
done

# shellcheck disable=SC2086  # a list of folders
"$PYTHON" tools/leaderboard.py $RUNS --metrics mse_sum mae_sum ssim_openstl psnr |
    sed 1,2d | "$PYTHON" tools/fill_block.py "$OUT/learning_proof.md" video

"$PYTHON" - $RUNS <<'CHECK'
import json, pathlib, sys
failed = 0
for run in sys.argv[1:]:
    record = json.loads(pathlib.Path(run, "result.json").read_text())
    ours, free = record["metrics"]["mse_sum"], record["baselines"]["Persistence"]["mse_sum"]
    failed += ours >= free
    print(f"{record['config']:<32} MSE {ours:9.3f}, persistence {free:9.3f}, {free / ours:5.1f} times better")
sys.exit(f"{failed} did not beat persistence" if failed else 0)
CHECK
