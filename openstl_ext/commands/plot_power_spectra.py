"""Plot the power of truth and forecasts against the wave number, by lead.

A forecast whose power falls below that of the truth at high wave numbers is blurred; one above it
has structure that was never observed. ::

    openstl-ext plot-power-spectra work_dirs/boiling/simvp_gsta_small/seed_0
    openstl-ext plot-power-spectra RUN RUN_B --lead 1 --lead 10 --out power.png

RUN is a run tested with `--save-predictions`. Frames with missing pixels have no spectrum and are
left out; the picture says how many. Runs are compared on the same samples.
"""

import argparse
from pathlib import Path
from typing import Any

from openstl_ext import cli


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder of a run, or of its frames")
    parser.add_argument(
        "--lead",
        type=int,
        action="append",
        default=[],
        help="counted from 1; repeatable (the first, the middle and the last)",
    )
    parser.add_argument("--channel", help="name or number (the first)")
    parser.add_argument("--out", type=Path, default=Path("power_spectra.png"), help="(%(default)s)")


def radial_power(frames: Any) -> Any:
    """Return the radially averaged power of frames, as the metrics of spectra have it.

    Shape:
        - frames: (..., H, W), float64; returns: (..., max(H, W) // 2 + 1).
    """
    import torch

    from openstl_ext.metrics.spectrum import radial_spectrum

    return radial_spectrum(torch.from_numpy(frames)).numpy()


def run(args: argparse.Namespace) -> None:
    """Write the picture and print its path."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.output_path import check_file
    from openstl_ext.visualization.channel_rows import channel_index, channel_names
    from openstl_ext.visualization.compared import each_compared
    from openstl_ext.visualization.power_spectrum import draw_spectra, spectra_of
    from openstl_ext.visualization.saved import SavedFolder

    check_file(args.out, option="--out", suffixes=(".png",))
    folders = [SavedFolder(place) for place in args.runs]
    samples = list(each_compared(folders))
    about, number = folders[0].about, samples[0].num_channels
    names = channel_names(about, number)
    channel = 0 if args.channel is None else channel_index(args.channel, names, number)
    spectra = spectra_of(samples, radial_power, channel)
    name = names[channel] if number > 1 else ""
    atomic_write(args.out, draw_spectra(spectra, about, leads=args.lead, channel=name))
    cli.print_line(str(args.out))
