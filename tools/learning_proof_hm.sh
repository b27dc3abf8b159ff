#!/bin/sh
# Both recipes of Human Modification on a synthetic continent: each must forecast better than
# persistence and than a line, at every horizon. sh tools/learning_proof_hm.sh [PYTHON]; some minutes
# on one core. Fills its block of docs/learning_proof.md, draws docs/images/learning/hm_*. What is
# trained is not trained again: remove work_dirs/human_modification/small for that.
set -eu
PYTHON=${1:-.venv/bin/python}
cd "$(dirname "$0")/.."
OUT=${OUT:-docs}
PICTURES=$OUT/images/learning
RUNS=work_dirs/human_modification/small
mkdir -p "$PICTURES"

sh tools/demo_hm.sh "$PYTHON"
for RECIPE in convlstm quantile_convlstm; do
    cp "$RUNS/$RECIPE/seed_0/panel.png" "$PICTURES/hm_$RECIPE.png"
done
cp "$RUNS/horizons.png" "$PICTURES/hm_horizons.png"

"$PYTHON" tools/leaderboard.py "$RUNS" --metrics mae 'mae@*' r2_change ssim coverage \
    width valid_pixels |
    sed 1,2d | "$PYTHON" tools/fill_block.py "$OUT/learning_proof.md" human_modification

"$PYTHON" - "$RUNS"/*/seed_0 <<'CHECK'
import json, pathlib, sys
failed = 0
for run in sys.argv[1:]:
    record = json.loads(pathlib.Path(run, "result.json").read_text())
    for name in ("mae", *(f"mae@{lead}" for lead in range(1, 5))):
        baselines = {kind: scores[name] for kind, scores in record["baselines"].items()}
        failed += record["metrics"][name] >= min(baselines.values())
        others = ", ".join(f"{kind} {value:.4g}" for kind, value in baselines.items())
        print(f"{record['config']:<45} {name:<6} {record['metrics'][name]:.4g}, {others}")
    if calibrated := record["postprocessed"].get("conformal"):
        before, after = record["metrics"]["coverage"], calibrated["coverage"]
        where = "inside" if 0.93 <= after <= 0.97 else "OUTSIDE"
        print(f"coverage {before:.4f}, calibrated {after:.4f}: {where} 0.93-0.97")
sys.exit(f"{failed} scores did not beat the baselines" if failed else 0)
CHECK
