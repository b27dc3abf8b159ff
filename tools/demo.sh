#!/bin/sh
# The whole way in one go: data, training, test, picture, leaderboard. Called by `make demo`.
set -eu
PYTHON=${1:-python3}
cd "$(dirname "$0")/.."

CONFIG=configs/boiling/simvp_gsta_small.py
RUN=work_dirs/boiling/simvp_gsta_small/seed_0
DATA=data/boiling_small

echo "== 1/5  the boiling simulation: 32 x 32 plates, 20 frames each"
"$PYTHON" tools/prepare_data/generate_boiling_data.py --data_path "$DATA" \
    --num_samples 300 --num_frames 20 --image_size 32 --seed 0
"$PYTHON" tools/prepare_data/create_dataloader.py --data_path "$DATA" \
    --train_ratio 0.8 --val_ratio 0.1 --total_length 20 --seed 0

if [ -f "$RUN/result.json" ]; then
    echo "== 2-3/5  trained and tested before (remove $RUN to do it again)"
else
    echo "== 2/5  train SimVP-gSTA"
    if [ -d "$RUN/checkpoints" ]; then RESUME=--resume; else RESUME=; fi
    "$PYTHON" tools/train.py "$CONFIG" $RESUME
    echo "== 3/5  test its best checkpoint"
    "$PYTHON" tools/test.py "$CONFIG" --save-predictions
fi

echo "== 4/5  a picture of the first test sample"
SAMPLE=$(ls "$RUN/saved/preds" | head -n 1)
"$PYTHON" tools/visualize_grid.py "$RUN/saved" "$SAMPLE" --out "$RUN/grid.png"

echo "== 5/5  the leaderboard"
"$PYTHON" tools/leaderboard.py work_dirs --out work_dirs/leaderboard.md \
    --metrics mse_sum mse ssim psnr

echo
echo "trained model  $(ls "$RUN"/checkpoints/best_epoch_*.pth)"
echo "result         $RUN/result.json"
echo "picture        $RUN/grid.png"
echo "leaderboard    work_dirs/leaderboard.md"
