"""Plot how often the truth is below each predicted quantile, against how often it should be.

The points of a calibrated method are on the diagonal; the legend has the coverage of its widest
interval. Bands are 95 % intervals under another test set of this size. ::

    openstl-ext plot-reliability work_dirs/human_modification/small/quantile_convlstm/seed_0
    openstl-ext plot-reliability RUN forecasts.npz --lead 1 --out reliability.png

A source is a run tested with `--save-predictions`, or a file .npz with the arrays `target`
(samples, leads, channels, height, width; NaN where unknown), `quantiles` (one axis before that)
and `levels`.
"""

import argparse

from openstl_ext import cli
from openstl_ext.commands.arguments import add_uncertain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_uncertain(parser, default="reliability.png")


def run(args: argparse.Namespace) -> None:
    """Write the picture and print its path."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.output_path import check_file
    from openstl_ext.visualization.reliability import draw_reliability, reliability_of
    from openstl_ext.visualization.uncertain import Uncertain, names_of, note_of

    check_file(args.out, option="--out", suffixes=(".png",), sources=args.sources)
    methods = []
    for name, place in zip(names_of(args.sources), args.sources, strict=True):
        source = Uncertain(place, args.channel, args.lead)
        methods.append(reliability_of(name, source.levels(), source.pairs("quantiles")))
    note = note_of(args.channel, args.lead)
    atomic_write(args.out, draw_reliability(methods, title="reliability of quantiles", note=note))
    cli.print_line(str(args.out))
