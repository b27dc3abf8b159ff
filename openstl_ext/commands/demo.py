"""Run all steps on a small simulation: data, training, test, picture, leaderboard.

It needs no network, and takes some minutes on two CPU cores. A second call keeps what is there.
"""

import argparse
from pathlib import Path

from openstl_ext import cli
from openstl_ext.commands.arguments import add_quiet
from openstl_ext.errors import ConfigError
from openstl_ext.progress_line import print_status

CONFIG = "boiling/simvp_gsta_small"
DATA = "data/boiling_small"
RUN = Path("work_dirs", CONFIG, "seed_0")
METRICS = ("mse_sum", "mse", "ssim", "psnr")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("--num-samples", type=int, default=300, help="number of simulations (%(default)s)")
    add("--max-epochs", type=int, help="epochs of training; default: as the config")
    add_quiet(parser)


def run(args: argparse.Namespace) -> None:
    """Run the steps that are missing, and draw and rank in any case."""
    if args.max_epochs is not None and args.max_epochs < 1:
        raise ConfigError(f"--max-epochs is {args.max_epochs}; it must be at least 1")
    size = ("--num_samples", str(args.num_samples), "--num_frames", "20", "--image_size", "32")
    step(1, "data", "boiling", "--data_path", DATA, *size)
    ratios = ("--train_ratio", "0.8", "--val_ratio", "0.1", "--total_length", "20")
    step(1, "data", "split", "--data_path", DATA, *ratios)
    if (RUN / "result.json").is_file():
        print_status(f"== 2-3/5  trained and tested before; delete {RUN} to do it again")
    else:
        resume = ["--resume"] if (RUN / "checkpoints").is_dir() else []
        epochs = ["--cfg-options", f"train_cfg.max_epochs={args.max_epochs}"]
        step(2, "train", CONFIG, *resume, *(epochs if args.max_epochs else []))
        step(3, "test", CONFIG, "--save-predictions")
    sample = min(path.name for path in (RUN / "saved" / "preds").iterdir())
    step(4, "visualize", str(RUN / "saved"), sample, "--out", str(RUN / "grid.png"))
    table, board = Path("work_dirs/leaderboard.md"), Path("work_dirs/board.html")
    files = ("--out", str(table), "--html", str(board))
    step(5, "leaderboard", "work_dirs", *files, "--metrics", *METRICS)
    (best,) = RUN.glob("checkpoints/best_epoch_*.pth")
    cli.print_line(f"\ntrained model  {best}")
    cli.print_line(f"result         {RUN / 'result.json'}")
    cli.print_line(f"picture        {RUN / 'grid.png'}")
    cli.print_line(f"leaderboard    {table}")
    cli.print_line(f"board          {board}")


def step(number: int, *arguments: str) -> None:
    """Print a command, and run it in this process."""
    print_status(f"== {number}/5  openstl-ext {' '.join(arguments)}")
    cli.call(arguments)
