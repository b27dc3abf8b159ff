"""Compute how much calibrated coverage depends on the draw of calibration and test blocks.

The samples of both splits, none of which trained, are divided anew many times. It complements
the value of the drawn split, and does not replace it.
"""

import argparse

import numpy as np

from openstl_ext import cli
from openstl_ext.commands.arguments import add_config, load_config


def coverage(margins_from: list, tested: list, share: float) -> float:
    """Compute the share of pixels within intervals that other samples have calibrated."""
    inside = total = 0
    for lead in range(len(tested[0])):
        known = np.sort(np.concatenate([sample[lead] for sample in margins_from]))
        rank = min(len(known), int(np.ceil((len(known) + 1) * share)))
        scores = np.concatenate([sample[lead] for sample in tested])
        inside, total = inside + int((scores <= known[rank - 1]).sum()), total + len(scores)
    return inside / total


def main() -> None:
    """Score every sample, divide, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_config(parser)
    parser.add_argument("checkpoint", metavar="CHECKPOINT")
    args = parser.parse_args()
    cfg = load_config(args)
    from openstl_ext.engine.collate import collate
    from openstl_ext.prediction.predictor import Predictor
    from openstl_ext.registry import DATASETS

    method = Predictor.load(cfg, args.checkpoint, device="cpu").method.requires_grad_(False)
    scores: dict[str, list] = {"calibration": [], "test": []}
    for split, samples in scores.items():
        dataset = DATASETS.build({**cfg.test_dataloader.dataset, "split": split})
        for index in range(len(dataset)):
            one = method.val_step(collate([dataset[index]]))[0]
            outside = (one["lower"] - one["target"]).maximum(one["target"] - one["upper"])
            samples.append([o[v].numpy() for o, v in zip(outside, one["valid"], strict=True)])
    drawn, size = coverage(*scores.values(), 0.95), len(scores["calibration"])
    pool, chance, found = scores["calibration"] + scores["test"], np.random.default_rng(0), []
    for _ in range(1000):
        parts = [pool[i] for i in chance.permutation(len(pool))]
        found.append(coverage(parts[:size], parts[size:], 0.95))
    within = np.mean([0.93 <= share <= 0.97 for share in found])
    below = np.mean([share <= drawn for share in found])
    cli.print_line(f"as drawn {drawn:.4f}; of 1000 divisions {below:.1%} are not above it")
    cli.print_line(
        f"mean {np.mean(found):.4f}, sd {np.std(found):.4f}; from 0.93 to 0.97 {within:.1%}"
    )


if __name__ == "__main__":
    cli.run(main)
