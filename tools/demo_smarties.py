"""SMARTIES in small: land seen by several sensors, pre-training, probes, pictures, a leaderboard.

Beside its features are those of random weights and mean band values; one sensor is not in the
pre-training. What is there is kept: a second call draws and ranks anew. See make demo-smarties.
"""

import argparse
from itertools import product
from pathlib import Path

from openstl_ext.cli import call, run

DATA = Path("data/sensor_scenes")
RUNS = Path("work_dirs/sensor_scenes")
TASKS = [
    f"{sensor}/{features}_{probe}"
    for sensor, features, probe in product(
        ("sentinel2_l2a", "pelican"),
        ("smarties", "random", "band_means"),
        ("neighbours", "linear_probe"),
    )
]


def main() -> None:
    """Run the commands whose results are not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", default=["0"], metavar="SEED", help="default: 0")
    parser.add_argument("--epochs", type=int, default=8, help="of the pre-training (%(default)s)")
    args = parser.parse_args()
    seeds, epochs = args.seeds, f"train_cfg.max_epochs={args.epochs}"
    print("== 1/4  synthetic land: pairs of RGB, Sentinel-2 and Sentinel-1, and scenes by class")
    if not (DATA / "SHA256SUMS").exists():
        call(["data", "sensor-scenes", "--root", str(DATA)])
    for seed in seeds:
        print(f"== 2/4  masked pre-training on the pairs, seed {seed}")
        if not (RUNS / f"pretraining/seed_{seed}/reconstruction_1_1.png").exists():
            shorter = [] if args.epochs == 20 else ["--cfg-options", epochs]
            options = ["--seed", seed, "--resume", "auto", *shorter]
            call(["train", "sensor_scenes/pretraining", *options])
        for number, task in enumerate(TASKS, start=1):
            print(f"== 3/4  task {number} of {len(TASKS)}: {task}, seed {seed}")
            name = f"sensor_scenes/{task}"
            if not (RUNS / task / f"seed_{seed}/result.json").exists():
                if task.endswith("linear_probe"):
                    call(["train", name, "--seed", seed, "--resume", "auto"])
                call(["test", name, "--seed", seed, "--save-predictions"])
    print("== 4/4  pictures and leaderboard")
    sensors = ["rgb", "sentinel2_l2a", "sentinel1_grd", str(DATA / "pelican.json")]
    call(["plot-spectrum", *sensors, "--out", str(RUNS / "spectrum.png")])
    saved = RUNS / f"sentinel2_l2a/smarties_linear_probe/seed_{seeds[0]}/saved"
    call(["visualize", str(saved), "--out", str(RUNS / "confusion.png")])
    metrics = ["overall_accuracy", "average_accuracy", "kappa"]
    call(["leaderboard", str(RUNS), "--out", str(RUNS / "leaderboard.md"), "--metrics", *metrics])
    print(f"\nleaderboard, spectrum, confusion matrix: {RUNS}")
    print(f"reconstructions: {RUNS}/pretraining/seed_{seeds[0]}/reconstruction_*.png")


if __name__ == "__main__":
    run(main)
