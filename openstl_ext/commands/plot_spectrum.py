"""Plot the wavelengths of the bands of sensors, and which have learned projections.

::

    openstl-ext plot-spectrum --out spectrum.png
    openstl-ext plot-spectrum sentinel2_l2a sentinel1_grd my_sensor.json

A sensor is the name of a published table, or a JSON file of your own; without one, all published
tables are drawn.
"""

import argparse
from pathlib import Path

from openstl_ext import cli


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("sensors", nargs="*", metavar="SENSOR", help="a name, or a JSON file")
    parser.add_argument("--out", type=Path, default=Path("spectrum.png"), help="(%(default)s)")


def run(args: argparse.Namespace) -> None:
    """Write the picture and print its path."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.datasets.sensors.sensor import FOLDER, Sensor
    from openstl_ext.output_path import check_file
    from openstl_ext.visualization.spectrum_coverage import (
        BandSpan,
        SensorSpans,
        spectrum_figure,
    )

    check_file(args.out, option="--out", suffixes=(".png",))
    names = args.sensors or sorted(p.stem for p in FOLDER.glob("*.json") if p.stem != "spectrum")
    rows = []
    for sensor in map(Sensor.read, names):
        bands = [(entry.name, sensor.spectrum.bands[entry.band]) for entry in sensor.all_bands]
        spans = [BandSpan(name, b.min_nm, b.max_nm, b.kind) for name, b in bands]
        rows.append(SensorSpans(sensor.name, tuple(spans)))
    atomic_write(args.out, spectrum_figure(rows).png())
    cli.print_line(str(args.out))
