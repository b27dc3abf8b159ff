#!/bin/sh
# An ensemble by flow matching beside one forecast of the same net, trained equally long, on data whose
# future is uncertain: three seeds. sh tools/learning_proof_stochastic.sh [PYTHON]; some ten minutes on
# two cores. Fills its blocks of docs/learning_proof.md, draws docs/images/learning/stochastic_members.png.
# What is trained is not trained again: remove work_dirs/branching_motion for that.
set -eu
PYTHON=${1:-.venv/bin/python}
cd "$(dirname "$0")/.."
SEEDS=${SEEDS:-0 1 2}
OUT=${OUT:-docs}
PICTURES=$OUT/images/learning
RUNS=work_dirs/branching_motion
mkdir -p "$PICTURES"

"$PYTHON" -m openstl_ext data branching-motion
FOLDERS=
for RECIPE in unet flow_unet; do
    for SEED in $SEEDS; do
        RUN=$RUNS/$RECIPE/seed_$SEED
        FOLDERS="$FOLDERS $RUN"
        if [ ! -f "$RUN/result.json" ]; then
            if [ -d "$RUN/checkpoints" ]; then RESUME=--resume; else RESUME=; fi
            "$PYTHON" tools/train.py "branching_motion/$RECIPE" --seed "$SEED" $RESUME --test
        fi
    done
done

# shellcheck disable=SC2086  # a list of folders
"$PYTHON" tools/leaderboard.py $FOLDERS --metrics crps crps_fair energy_score spread_skill mse mae |
    sed 1,2d | "$PYTHON" tools/fill_block.py "$OUT/learning_proof.md" stochastic
# shellcheck disable=SC2086
"$PYTHON" tools/leaderboard.py $FOLDERS --metrics crps mse \
    --compare branching_motion/flow_unet branching_motion/unet |
    "$PYTHON" tools/fill_block.py "$OUT/learning_proof.md" stochastic_comparison
"$PYTHON" tools/draw_members.py "$RUNS/flow_unet/seed_0" "$RUNS/unet/seed_0" \
    --out "$PICTURES/stochastic_members.png" |
    "$PYTHON" tools/fill_block.py "$OUT/learning_proof.md" stochastic_branches
