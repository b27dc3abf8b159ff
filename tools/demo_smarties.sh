#!/bin/sh
# SMARTIES in small: synthetic land seen by several sensors, masked pre-training, probes of its encoder
# beside random weights and mean band values, a sensor that the pre-training has not seen, pictures.
# Called by `make demo-smarties`. What is there is kept: a second call draws and ranks anew, no more.
set -eu
PYTHON=${1:-python3}
cd "$(dirname "$0")/.."
run() { "$PYTHON" -m openstl_ext "$@"; }

DATA=data/sensor_scenes
RUNS=work_dirs/sensor_scenes
PRETRAINING=$RUNS/pretraining/seed_0
SEEN="smarties random band_means"

echo "== 1/6  synthetic land: pairs of RGB, Sentinel-2 and Sentinel-1, and scenes by class"
if [ ! -f "$DATA/SHA256SUMS" ]; then run data sensor-scenes --root "$DATA"; fi

if [ -f "$PRETRAINING/reconstruction_1_1.png" ]; then
    echo "== 2/6  trained before (remove $PRETRAINING to do it again)"
else
    echo "== 2/6  masked pre-training on the pairs, validated by nearest neighbours"
    if [ -d "$PRETRAINING/checkpoints" ]; then RESUME=--resume; else RESUME=; fi
    run train sensor_scenes/pretraining $RESUME
fi

task() { # sensor, features
    for PROBE in neighbours linear_probe; do
        NAME=sensor_scenes/$1/$2_$PROBE
        if [ -f "work_dirs/$NAME/seed_0/result.json" ]; then continue; fi
        if [ $PROBE = linear_probe ]; then run train "$NAME"; fi
        run test "$NAME" --save-predictions
    done
}
echo "== 3/6  nearest neighbours and linear probes on Sentinel-2"
for FEATURES in $SEEN; do task sentinel2_l2a "$FEATURES"; done
echo "== 4/6  the same for a sensor whose bands are interpolated"
for FEATURES in $SEEN; do task pelican "$FEATURES"; done

echo "== 5/6  pictures"
PROBE=$RUNS/sentinel2_l2a/smarties_linear_probe/seed_0
run plot-spectrum rgb sentinel2_l2a sentinel1_grd "$DATA/pelican.json" --out "$RUNS/spectrum.png"
run visualize "$PROBE/saved" --out "$PROBE/confusion.png"

echo "== 6/6  the leaderboard"
run leaderboard "$RUNS" --out "$RUNS/leaderboard.md" \
    --metrics overall_accuracy average_accuracy kappa

echo
echo "reconstructions   $PRETRAINING/reconstruction_*.png"
echo "spectrum          $RUNS/spectrum.png"
echo "confusion matrix  $PROBE/confusion.png"
echo "leaderboard       $RUNS/leaderboard.md"
