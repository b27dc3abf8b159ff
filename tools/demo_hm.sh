#!/bin/sh
# Maps of the Human Modification index, from rasters to a forecast of years to come: a synthetic
# continent, both recipes, their test against simple forecasts, pictures and a map of a region.
# Called by `make demo-hm`. What is there is kept: a second call draws and maps anew, no more.
set -eu
PYTHON=${1:-python3}
cd "$(dirname "$0")/.."

DATA=data/miniature/human_modification
RECIPES="convlstm quantile_convlstm"
RUNS=work_dirs/human_modification/small
REGION=$DATA/region.geojson

echo "== 1/6  a synthetic continent: seven maps, 1990 to 2020, and what surrounds them"
"$PYTHON" tools/prepare_data/human_modification.py --root "$DATA" --miniature

for RECIPE in $RECIPES; do
    RUN=$RUNS/$RECIPE/seed_0
    if [ -f "$RUN/result.json" ]; then
        echo "== 2-3/6  $RECIPE: trained and tested before (remove $RUN to do it again)"
        continue
    fi
    echo "== 2/6  train $RECIPE"
    if [ -d "$RUN/checkpoints" ]; then RESUME=--resume; else RESUME=; fi
    "$PYTHON" tools/train.py "configs/human_modification/small/$RECIPE.py" $RESUME
    echo "== 3/6  test its best checkpoint on blocks that it has never seen"
    "$PYTHON" tools/test.py "configs/human_modification/small/$RECIPE.py"
done

echo "== 4/6  error against horizon"
"$PYTHON" tools/plot_horizons.py "$RUNS" --metric mae --out "$RUNS/horizons.png"

echo "== 5/6  maps of a region in years to come"
for RECIPE in $RECIPES; do
    RUN=$RUNS/$RECIPE/seed_0
    "$PYTHON" tools/predict.py "configs/human_modification/small/$RECIPE.py" \
        "$(ls "$RUN"/checkpoints/best_epoch_*.pth)" \
        --input "$DATA" --region "$REGION" --out "$RUN/maps"
done

echo "== 6/6  the leaderboard"
"$PYTHON" tools/leaderboard.py "$RUNS" --out "$RUNS/leaderboard.md" \
    --metrics mae 'mae@*' rmse bias r2_change ssim coverage width

echo
for RECIPE in $RECIPES; do
    RUN=$RUNS/$RECIPE/seed_0
    echo "$RECIPE"
    echo "  trained model  $(ls "$RUN"/checkpoints/best_epoch_*.pth)"
    echo "  result         $RUN/result.json"
    echo "  panel          $RUN/panel.png"
    echo "  maps           $RUN/maps"
done
echo "error curves     $RUNS/horizons.png"
echo "leaderboard      $RUNS/leaderboard.md"
