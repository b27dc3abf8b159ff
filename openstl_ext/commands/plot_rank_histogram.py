"""Plot the rank of the truth among the members of an ensemble.

All ranks of a calibrated ensemble are equally frequent. A U is an ensemble that is too narrow, a
hill one that is too wide, a slope a bias. Bars have 95 % intervals under another test set of this
size. ::

    openstl-ext plot-rank-histogram work_dirs/boiling/ensemble/seed_0
    openstl-ext plot-rank-histogram RUN forecasts.npz --lead 1 --out ranks.png

A source is a run tested with `--save-predictions`, or a file .npz with the arrays `target`
(samples, leads, channels, height, width; NaN where unknown) and `ensemble` (members before that).
"""

import argparse

from openstl_ext import cli
from openstl_ext.commands.arguments import add_uncertain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_uncertain(parser, default="rank_histogram.png")


def run(args: argparse.Namespace) -> None:
    """Write the picture and print its path."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.output_path import check_file
    from openstl_ext.visualization.rank_histogram import draw_rank_histograms, rank_histogram
    from openstl_ext.visualization.uncertain import Uncertain, names_of, note_of

    check_file(args.out, option="--out", suffixes=(".png",), sources=args.sources)
    methods = [
        rank_histogram(name, Uncertain(place, args.channel, args.lead).pairs("ensemble"))
        for name, place in zip(names_of(args.sources), args.sources, strict=True)
    ]
    note = note_of(args.channel, args.lead)
    atomic_write(args.out, draw_rank_histograms(methods, note=note))
    cli.print_line(str(args.out))
